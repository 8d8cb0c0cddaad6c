# The empty database that a new data directory starts as a copy of (src/store/image.h): made by a program of the library
# itself, so that what it holds is what the migrations do. A program that cannot run here makes none, and the migrations run
# at the first start instead.
set(IMAGE_FOLDER ${CMAKE_BINARY_DIR}/packaging/image)
file(MAKE_DIRECTORY ${IMAGE_FOLDER})
if(CMAKE_CROSSCOMPILING)
  file(CONFIGURE OUTPUT ${IMAGE_FOLDER}/image.c CONTENT "#include \"store/image.h\"\nconst struct db_image db_image;\n")
else()
  # Not by the library's name, which would bring the image along.
  add_executable(image src/packaging/image.c)
  target_include_directories(image PRIVATE src)
  target_link_libraries(image PRIVATE $<TARGET_FILE:headrace_core> PkgConfig::DEPS m ${CMAKE_DL_LIBS})
  add_dependencies(image headrace_core)
  set_target_properties(image PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${IMAGE_FOLDER})
  add_custom_command(OUTPUT ${IMAGE_FOLDER}/image.c COMMAND image ${IMAGE_FOLDER}/image.c DEPENDS image VERBATIM)
endif()
add_library(headrace_image STATIC ${IMAGE_FOLDER}/image.c)
target_include_directories(headrace_image PRIVATE src)
set_target_properties(headrace_image PROPERTIES POSITION_INDEPENDENT_CODE ON)
target_link_libraries(headrace_core INTERFACE headrace_image)
