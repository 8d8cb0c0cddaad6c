# libcrypto's digests without the rest of it. Its shared library binds five thousand symbols whenever a program starts that
# is linked with it: 0.9 ms of every start and 1 MiB of memory, for the four digests that base/digest.c calls. The archive
# beside it holds those as objects of their own, which need nothing else of the library, so programs are linked with that:
# 80 KiB. Nothing of it is visible to the libcrypto that comes with libcurl at run time.
#
# libheadrace.so keeps the shared library, like the programs it is loaded into; so does everything where there is no archive,
# and with -DHEADRACE_CRYPTO_SHARED=ON, for those who want a distribution's fixes without a new build. Sets CRYPTO_INSIDE
# for the SBOM and the licences, and makes libcrypto a part of PkgConfig::DEPS.
option(HEADRACE_CRYPTO_SHARED "link libcrypto as a shared library" OFF)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
pkg_get_variable(CRYPTO_LIBDIR libcrypto libdir)
list(APPEND DEPS_MODULES libcrypto)
set(CRYPTO_ARCHIVE ${CRYPTO_LIBDIR}/libcrypto.a)
set(CRYPTO_FOLDER ${CMAKE_BINARY_DIR}/packaging/crypto)

if(NOT HEADRACE_CRYPTO_SHARED AND EXISTS ${CRYPTO_ARCHIVE})
  file(CONFIGURE OUTPUT ${CRYPTO_FOLDER}/digests.c CONTENT
"#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/md5.h>
#include <openssl/sha.h>
int main(void)
{
    unsigned char digest[64];
    return MD5(digest, 0, digest) && SHA1(digest, 0, digest) && SHA256(digest, 0, digest) && SHA512(digest, 0, digest)
               ? CRYPTO_memcmp(digest, digest, 1) : 1;
}
")
  try_compile(CRYPTO_LINKS ${CRYPTO_FOLDER}/try SOURCES ${CRYPTO_FOLDER}/digests.c
              CMAKE_FLAGS -DINCLUDE_DIRECTORIES=${CRYPTO_INCLUDE_DIRS} LINK_LIBRARIES ${CRYPTO_ARCHIVE})
endif()

if(CRYPTO_LINKS)
  set(CRYPTO_INSIDE libcrypto)
  set(shared $<STREQUAL:$<TARGET_PROPERTY:TYPE>,SHARED_LIBRARY>)
  target_include_directories(PkgConfig::DEPS SYSTEM INTERFACE ${CRYPTO_INCLUDE_DIRS})
  target_link_libraries(PkgConfig::DEPS INTERFACE $<${shared}:PkgConfig::CRYPTO> $<$<NOT:${shared}>:${CRYPTO_ARCHIVE}>)
  target_link_options(PkgConfig::DEPS INTERFACE LINKER:--exclude-libs,libcrypto.a)
  message(STATUS "libcrypto: the digests of ${CRYPTO_ARCHIVE}")
else()
  target_link_libraries(PkgConfig::DEPS INTERFACE PkgConfig::CRYPTO)
  message(STATUS "libcrypto: the shared library")
endif()
