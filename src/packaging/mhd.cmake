# libmicrohttpd without its TLS. A distribution's shared one is linked with GnuTLS, which brings nine more (p11-kit, nettle, gmp,
# unistring, ...): 1.5 ms of every start and 2.4 MiB of memory for what our server never offers. Its development package has
# the archive, too. Programs are linked with that, and what it asks of GnuTLS is answered by functions that stop the
# program: MHD calls gnutls_global_init and _deinit, and the others only for a daemon with MHD_USE_TLS, which http/server.c
# does not set. They are hidden: a GnuTLS that comes with libcurl at run time is not touched by them.
#
# libheadrace.so keeps the shared library, because the archive is not position-independent; so does all else where
# there is no archive or no daemon starts so, and with -DHEADRACE_MHD_SHARED=ON, for those who want MHD's fixes
# without a new build. Sets MHD_INSIDE for the SBOM and the licences, and makes libmicrohttpd a part of PkgConfig::DEPS.
option(HEADRACE_MHD_SHARED "link libmicrohttpd as a shared library, GnuTLS included" OFF)
pkg_check_modules(MHD REQUIRED IMPORTED_TARGET libmicrohttpd)
pkg_get_variable(MHD_LIBDIR libmicrohttpd libdir)
list(APPEND DEPS_MODULES libmicrohttpd)
set(MHD_ARCHIVE ${MHD_LIBDIR}/libmicrohttpd.a)
set(MHD_FOLDER ${CMAKE_BINARY_DIR}/packaging/mhd)

# The functions of GnuTLS that the archive asks for.
set(gnutls "")
if(NOT HEADRACE_MHD_SHARED AND CMAKE_NM AND EXISTS ${MHD_ARCHIVE})
  execute_process(COMMAND ${CMAKE_NM} -u ${MHD_ARCHIVE} OUTPUT_VARIABLE asked ERROR_QUIET)
  string(REGEX MATCHALL "gnutls_[a-z0-9_]+" gnutls "${asked}")
  list(REMOVE_DUPLICATES gnutls)
  list(REMOVE_ITEM gnutls gnutls_global_init gnutls_global_deinit)
endif()

if(gnutls)
  list(TRANSFORM gnutls REPLACE "(.+)" "NEVER(\\1)")
  list(JOIN gnutls "\n" never)
  file(CONFIGURE OUTPUT ${MHD_FOLDER}/no_tls.c @ONLY CONTENT
"/* Made by src/packaging/mhd.cmake: what libmicrohttpd.a asks of GnuTLS. */
#include <stdlib.h>
#pragma GCC visibility push(hidden)
int gnutls_global_init(void);
int gnutls_global_init(void) { return 0; }
void gnutls_global_deinit(void);
void gnutls_global_deinit(void) {}
#define NEVER(name) _Noreturn void name(void); _Noreturn void name(void) { abort(); }
@never@
")
  file(CONFIGURE OUTPUT ${MHD_FOLDER}/starts.c CONTENT
"#include <microhttpd.h>
#include <stdlib.h>
static enum MHD_Result answer(void *user, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *body, size_t *n, void **state)
{
    return MHD_NO;
}
int main(void)
{
    struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, answer, NULL, MHD_OPTION_END);
    if (daemon)
        MHD_stop_daemon(daemon);
    return daemon ? EXIT_SUCCESS : EXIT_FAILURE;
}
")
  try_compile(MHD_STARTS ${MHD_FOLDER}/try SOURCES ${MHD_FOLDER}/starts.c ${MHD_FOLDER}/no_tls.c
              CMAKE_FLAGS -DINCLUDE_DIRECTORIES=${MHD_INCLUDE_DIRS} LINK_LIBRARIES ${MHD_ARCHIVE}
              COPY_FILE ${MHD_FOLDER}/starts)
  if(MHD_STARTS AND NOT CMAKE_CROSSCOMPILING)
    execute_process(COMMAND ${MHD_FOLDER}/starts RESULT_VARIABLE code OUTPUT_QUIET ERROR_QUIET)
    if(NOT code EQUAL 0)
      set(MHD_STARTS FALSE)
    endif()
  endif()
endif()

if(gnutls AND MHD_STARTS)
  add_library(mhd_no_tls STATIC ${MHD_FOLDER}/no_tls.c)
  set(MHD_INSIDE libmicrohttpd)
  set(shared $<STREQUAL:$<TARGET_PROPERTY:TYPE>,SHARED_LIBRARY>)
  target_include_directories(PkgConfig::DEPS SYSTEM INTERFACE ${MHD_INCLUDE_DIRS})
  target_link_libraries(PkgConfig::DEPS INTERFACE $<${shared}:PkgConfig::MHD> $<$<NOT:${shared}>:${MHD_ARCHIVE}>
                        $<$<NOT:${shared}>:mhd_no_tls>)
  message(STATUS "libmicrohttpd: ${MHD_ARCHIVE}, without TLS")
else()
  target_link_libraries(PkgConfig::DEPS INTERFACE PkgConfig::MHD)
  message(STATUS "libmicrohttpd: the shared library, with what it brings along")
endif()
