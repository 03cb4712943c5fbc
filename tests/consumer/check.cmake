# Installs penning into a scratch prefix and builds a consumer against it, in paths with a space.
#
#   cmake -D MODE=package|pkgconfig|subdirectory -D SOURCE=... -D BUILD=... -D SCRATCH=...
#         -D CXX=... -D FLAGS=... -D GENERATOR=... [-D CONFIG=...] -P check.cmake
function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

set(consumer "${SOURCE}/tests/consumer")
set(work "${SCRATCH}/a ${MODE} consumer")
set(prefix "${work}/a prefix")
file(REMOVE_RECURSE "${work}")
set(configure "${CMAKE_COMMAND}" -G "${GENERATOR}" -B "${work}/build"
  "-DCMAKE_CXX_COMPILER=${CXX}" "-DCMAKE_CXX_FLAGS=${FLAGS}" "-DCMAKE_BUILD_TYPE=${CONFIG}")

if(NOT MODE STREQUAL "subdirectory")
  execute_process(COMMAND "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${prefix}"
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
  # Moved after it was installed: nothing in the package may know where it was.
  file(RENAME "${prefix}" "${prefix} moved")
  string(APPEND prefix " moved")
endif()

if(MODE STREQUAL "package")
  run(${configure} -S "${consumer}" "-DCMAKE_PREFIX_PATH=${prefix}")
  run("${CMAKE_COMMAND}" --build "${work}/build")
elseif(MODE STREQUAL "subdirectory")
  # Debug: what counts is whether it builds.
  run(${configure} -S "${consumer}/subdirectory" "-DPENNING_SOURCE=${SOURCE}" -DCMAKE_BUILD_TYPE=Debug)
  run("${CMAKE_COMMAND}" --build "${work}/build" --target consumer)
elseif(MODE STREQUAL "pkgconfig")
  file(GLOB_RECURSE files "${prefix}/*/penning.pc")
  cmake_path(GET files PARENT_PATH directory)
  set(ENV{PKG_CONFIG_PATH} "${directory}")
  cmake_path(GET directory PARENT_PATH libraries)
  set(ENV{LD_LIBRARY_PATH} "${libraries}") # for a build with BUILD_SHARED_LIBS
  file(MAKE_DIRECTORY "${work}/build")
  # eval: pkg-config writes a space in a path as a backslash and a space.
  run(sh -ec "eval \"'${CXX}' -std=c++20 ${FLAGS} '${consumer}/main.cpp' -o '${work}/build/consumer' $(pkg-config --cflags --libs penning)\"")
endif()
run("${work}/build/consumer")

if(MODE STREQUAL "package")
  # Every installed header, not only those that main.cpp uses, finds what it includes.
  file(GLOB_RECURSE headers RELATIVE "${prefix}/include" "${prefix}/include/penning/*.hpp")
  list(TRANSFORM headers REPLACE "(.+)" "#include <\\1>\n" OUTPUT_VARIABLE includes)
  list(JOIN includes "" includes)
  file(WRITE "${work}/all_headers.cpp" "${includes}")
  run("${CXX}" -std=c++20 -fsyntax-only -Wall -Wextra -Werror "-I${prefix}/include"
    "${work}/all_headers.cpp")
  # And the program in the README is one.
  file(READ "${SOURCE}/README.md" readme)
  string(REGEX REPLACE ".*```cpp\n([^`]*)```.*" "\\1" example "${readme}")
  file(WRITE "${work}/readme.cpp" "${example}")
  run("${CXX}" -std=c++20 -fsyntax-only "-I${prefix}/include" "${work}/readme.cpp")
endif()
file(REMOVE_RECURSE "${work}")
