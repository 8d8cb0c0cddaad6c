# The static build: -DHEADRACE_STATIC=ON gives one file that needs nothing of the machine it runs on but a kernel.
#
# Debian's archives do for all libraries but two: its libmicrohttpd.a asks for GnuTLS and its libcurl.a for Kerberos and
# LDAP, none of which can be had as archives. Both are therefore built here from source with what we do not use left out:
# TLS in the server, all protocols but HTTP in the client. The sources are Debian's own (src/packaging/source.sh, checked by
# apt's signatures), or of folders that the builder names:
#     -DHEADRACE_MHD_SOURCE=DIR  -DHEADRACE_CURL_SOURCE=DIR
# c-ares resolves names for the client, because the C library would open the resolver modules of the machine's own C
# library, which a static program may not match.
include(ExternalProject)

set(HEADRACE_MHD_SOURCE "" CACHE PATH "source of libmicrohttpd for the static build (default: Debian's)")
set(HEADRACE_CURL_SOURCE "" CACHE PATH "source of libcurl for the static build (default: Debian's)")
set(STATIC_PREFIX ${CMAKE_BINARY_DIR}/static)
file(MAKE_DIRECTORY ${STATIC_PREFIX}/include)

# from_source(NAME DEBIAN_SOURCE GIVEN_FOLDER ARGUMENTS...): built in and installed below STATIC_PREFIX.
function(from_source name debian given)
  if(given)
    set(download "")
    set(folder SOURCE_DIR ${given})
  else()
    set(download DOWNLOAD_COMMAND ${CMAKE_SOURCE_DIR}/src/packaging/source.sh ${debian} <SOURCE_DIR>)
    set(folder SOURCE_DIR ${CMAKE_BINARY_DIR}/sources/${debian})
  endif()
  ExternalProject_Add(${name}_source ${folder} ${download}
    PREFIX ${CMAKE_BINARY_DIR}/sources/${debian}-build
    BUILD_BYPRODUCTS ${STATIC_PREFIX}/lib/lib${name}.a
    LOG_CONFIGURE ON LOG_BUILD ON LOG_INSTALL ON LOG_OUTPUT_ON_FAILURE ON ${ARGN})
endfunction()

from_source(microhttpd libmicrohttpd "${HEADRACE_MHD_SOURCE}"
  CONFIGURE_COMMAND <SOURCE_DIR>/configure --prefix=${STATIC_PREFIX} --disable-shared --enable-static --with-pic
    --disable-https --disable-dauth --disable-bauth --disable-postprocessor --disable-doc --disable-examples
    --disable-curl --disable-heavy-tests "CC=${CMAKE_C_COMPILER_LAUNCHER} ${CMAKE_C_COMPILER}" "CFLAGS=-O2 -g -ffunction-sections"
  BUILD_COMMAND make -C src/microhttpd libmicrohttpd.la
  INSTALL_COMMAND make -C src/microhttpd install-libLTLIBRARIES
    COMMAND make -C src/include install COMMAND make install-pkgconfigDATA)

from_source(curl curl "${HEADRACE_CURL_SOURCE}"
  CMAKE_ARGS -DCMAKE_INSTALL_PREFIX=${STATIC_PREFIX} -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_BUILD_TYPE=Release
    "-DCMAKE_C_FLAGS=-g -ffunction-sections" -DCMAKE_C_COMPILER_LAUNCHER=${CMAKE_C_COMPILER_LAUNCHER}
    -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DBUILD_SHARED_LIBS=OFF -DBUILD_CURL_EXE=OFF -DBUILD_TESTING=OFF
    -DENABLE_MANUAL=OFF -DHTTP_ONLY=ON -DENABLE_ARES=ON -DCURL_USE_OPENSSL=ON -DOPENSSL_USE_STATIC_LIBS=ON
    -DCURL_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt -DCURL_CA_PATH=none -DCURL_ZLIB=OFF -DCURL_BROTLI=OFF
    -DCURL_ZSTD=OFF -DUSE_NGHTTP2=OFF -DUSE_LIBIDN2=OFF -DCURL_USE_LIBPSL=OFF -DCURL_USE_LIBSSH2=OFF
    -DCURL_USE_LIBSSH=OFF -DCURL_USE_GSSAPI=OFF -DUSE_LIBRTMP=OFF)

# Where a distribution has a pkg-config file of its own for libuv's archive, its name says so.
pkg_check_modules(LIBUV_STATIC QUIET libuv-static)
set(uv libuv)
if(LIBUV_STATIC_FOUND)
  set(uv libuv-static)
endif()
pkg_check_modules(DEPS REQUIRED ${uv} libssl jansson sqlite3 libcrypto expat libxxhash libcares)
# By the names they have in src/packaging/dependencies.json.
set(DEPS_MODULES libuv libmicrohttpd jansson sqlite3 libcrypto expat libxxhash libcurl libcares zlib)

# What the rest of the build calls PkgConfig::DEPS: the archives, in the order in which they need each other.
add_library(static_dependencies INTERFACE)
add_library(PkgConfig::DEPS ALIAS static_dependencies)
add_dependencies(static_dependencies microhttpd_source curl_source)
target_include_directories(static_dependencies SYSTEM INTERFACE ${STATIC_PREFIX}/include ${DEPS_INCLUDE_DIRS})
target_compile_definitions(static_dependencies INTERFACE CURL_STATICLIB)
target_link_libraries(static_dependencies INTERFACE ${STATIC_PREFIX}/lib/libmicrohttpd.a ${STATIC_PREFIX}/lib/libcurl.a
                      ${DEPS_STATIC_LIBRARIES})
