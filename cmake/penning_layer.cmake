# What the project is made of: layers, programs and tests, one function each.

# One floor of the house: a library whose public headers are reached as <penning/NAME/...>.
#
#   penning_layer(NAME SOURCES a.cpp ... HEADERS a.hpp ... DEPENDS target ... [PRIVATE target ...])
#
# A symbolic link build/include/NAME/penning/NAME -> NAME/ gives each floor an include root of its
# own, so an include of a floor above does not compile. DEPENDS are part of the layer's interface,
# PRIVATE is what only its sources use; both come from penning_dependencies.cmake.
function(penning_layer name)
  cmake_parse_arguments(arg "" "" "SOURCES;HEADERS;DEPENDS;PRIVATE" ${ARGN})
  set(root "${PROJECT_BINARY_DIR}/include/${name}")
  file(MAKE_DIRECTORY "${root}/penning")
  file(CREATE_LINK "${CMAKE_CURRENT_SOURCE_DIR}" "${root}/penning/${name}" SYMBOLIC)
  list(TRANSFORM arg_HEADERS PREPEND "${root}/penning/${name}/")

  if(NOT arg_SOURCES) # a floor that has no room yet
    set(arg_SOURCES "${CMAKE_CURRENT_BINARY_DIR}/empty.cpp")
    file(CONFIGURE OUTPUT "${arg_SOURCES}" CONTENT "")
  endif()
  add_library(penning_${name} ${arg_SOURCES})
  add_library(penning::${name} ALIAS penning_${name})
  target_sources(penning_${name} PUBLIC
    FILE_SET HEADERS BASE_DIRS "${root}" FILES ${arg_HEADERS})
  target_link_libraries(penning_${name} PUBLIC ${arg_DEPENDS} PRIVATE ${arg_PRIVATE})
  set_target_properties(penning_${name} PROPERTIES
    EXPORT_NAME ${name} VERIFY_INTERFACE_HEADER_SETS ON POSITION_INDEPENDENT_CODE ON
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
    INSTALL_RPATH "$ORIGIN")
  penning_compile_options(penning_${name})
  if("CAF::core" IN_LIST arg_DEPENDS OR NOT name STREQUAL "io")
    set(precompiled penning_precompiled_actors)
  else()
    set(precompiled penning_precompiled_io)
  endif()
  target_precompile_headers(penning_${name} REUSE_FROM ${precompiled})

  set_property(GLOBAL APPEND PROPERTY penning_layers ${name})
  set_property(GLOBAL PROPERTY penning_needs_${name} ${arg_DEPENDS} ${arg_PRIVATE})
endfunction()

# An installed program: penning_program(NAME SOURCES ... DEPENDS ... [LIBEXEC] [NO_SANITIZE])
#
# Stands in build/bin, or with LIBEXEC in build/libexec/penning: as it will once installed, so one
# relative path from program to helper holds in both.
function(penning_program name)
  cmake_parse_arguments(arg "LIBEXEC;NO_SANITIZE" "" "SOURCES;DEPENDS" ${ARGN})
  set(directory "${CMAKE_INSTALL_BINDIR}")
  if(arg_LIBEXEC)
    set(directory "${CMAKE_INSTALL_LIBEXECDIR}/penning")
  endif()
  set(flags)
  if(arg_NO_SANITIZE)
    set(flags NO_SANITIZE)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_DEPENDS})
  penning_compile_options(${name} ${flags})
  file(RELATIVE_PATH to_libraries "/${directory}" "/${CMAKE_INSTALL_LIBDIR}")
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/${directory}"
    INSTALL_RPATH "$ORIGIN/${to_libraries}") # for a build with BUILD_SHARED_LIBS
  if(NOT TARGET penning_programs)
    add_custom_target(penning_programs)
  endif()
  add_dependencies(penning_programs ${name})
  if(PENNING_INSTALL)
    install(TARGETS ${name} RUNTIME DESTINATION "${directory}")
  endif()
endfunction()

# A GoogleTest program whose cases CTest runs one by one:
#
#   penning_test(NAME SOURCES ... DEPENDS ... [TIMEOUT seconds])
function(penning_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;DEPENDS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_DEPENDS} GTest::gmock GTest::gtest_main)
  penning_compile_options(${name})
  target_precompile_headers(${name} REUSE_FROM penning_precompiled_tests)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES PROPERTIES TIMEOUT ${arg_TIMEOUT})
endfunction()
