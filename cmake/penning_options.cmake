option(PENNING_BUILD_APPS "Build the programs (penning, penningd)" ${PROJECT_IS_TOP_LEVEL})
option(PENNING_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(PENNING_BUILD_BENCHMARKS "Build the benchmarks" OFF)
option(PENNING_INSTALL "Generate install rules" ${PROJECT_IS_TOP_LEVEL})
option(PENNING_WERROR "Treat warnings as errors" OFF)
set(PENNING_SANITIZE "" CACHE STRING "Sanitizers for the project's targets, e.g. address,undefined")

if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

# Applies the project's flags to one of its own targets; a user's targets never get them.
#
#   penning_compile_options(TARGET [NO_SANITIZE])
function(penning_compile_options target)
  cmake_parse_arguments(arg "NO_SANITIZE" "" "" ${ARGN})
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
    -Wno-missing-field-initializers # {.program = "ls"} leaves the rest at its defaults on purpose
    # What the optimiser infers about paths that are never taken stays a warning.
    "$<$<BOOL:${PENNING_WERROR}>:-Werror;-Wno-error=array-bounds;-Wno-error=maybe-uninitialized;-Wno-error=restrict;-Wno-error=stringop-overflow>")
  if(PENNING_SANITIZE AND NOT arg_NO_SANITIZE)
    target_compile_options(${target} PRIVATE
      -fsanitize=${PENNING_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
    target_link_options(${target} PRIVATE -fsanitize=${PENNING_SANITIZE})
    if(PENNING_SANITIZE MATCHES thread)
      target_compile_options(${target} PRIVATE -Wno-tsan) # of the fences inside Asio
    endif()
  endif()
endfunction()
