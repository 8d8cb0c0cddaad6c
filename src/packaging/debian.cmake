# What a .deb has besides: the dependencies as dpkg-shlibdeps finds them, and the files that Debian's policy asks for.
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Opened, not linked, by `headrace worker`, `ingest` and `demo`, so that dpkg-shlibdeps cannot see it.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libcurl4 | libcurl3-gnutls")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS awscli)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)

# The library is of this package, and the linker's cache is told when it comes and goes.
file(WRITE ${PACKAGED}/shlibs "libheadrace ${PROJECT_VERSION_MAJOR} headrace (>= ${PROJECT_VERSION})\n")
file(WRITE ${PACKAGED}/triggers "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PACKAGED}/shlibs ${PACKAGED}/triggers)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

# Policy asks for a copyright file and a change log; lintian's opinion on packages with a library of their own is that of
# a distribution, which splits them, and CPack writes ldconfig scripts of its own.
set(debian ${PACKAGED}/debian)
file(READ LICENSE licence)
if(MHD_INSIDE)
  set(holds "\nThe program holds GNU libmicrohttpd: LGPL-2.1-or-later (/usr/share/common-licenses/LGPL-2.1), LICENSES.txt.\n")
endif()
if(CRYPTO_INSIDE)
  string(APPEND holds "\nThe program holds OpenSSL's digests: Apache-2.0 (/usr/share/common-licenses/Apache-2.0), LICENSES.txt.\n")
endif()
file(WRITE ${debian}/doc/headrace/copyright "Headrace, by its authors.\n\n${licence}${holds}")
file(WRITE ${PACKAGED}/changelog "headrace (${PROJECT_VERSION}) unstable; urgency=medium\n\n  * See README.md and docs/.\n\n"
     " -- ${CPACK_PACKAGE_CONTACT}  Thu, 01 Jan 2026 00:00:00 +0000\n")
file(WRITE ${debian}/lintian/overrides/headrace "headrace: package-name-doesnt-match-sonames libheadrace${PROJECT_VERSION_MAJOR}\n"
     "headrace: link-to-shared-library-in-wrong-package *\nheadrace: maintscript-calls-ldconfig *\n")
if(GZIP)
  execute_process(COMMAND ${GZIP} -9nc ${PACKAGED}/changelog OUTPUT_FILE ${debian}/doc/headrace/changelog.gz)
endif()
set(CPACK_INSTALLED_DIRECTORIES ${debian} /usr/share)
