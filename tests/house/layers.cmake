# Asks the compiler, with exactly the include path that a layer gives to those who link it: its own
# headers are found, those of each floor above are not.
#
# LAYERS lists the floors from the ground up; INCLUDES_<layer> is the include path of each.
list(LENGTH LAYERS count)
if(count LESS 4)
  message(FATAL_ERROR "four floors expected, got: ${LAYERS}")
endif()

# Sets `result` to 0, or to the complaint of the compiler.
function(include_header header layer)
  set(path ${INCLUDES_${layer}})
  list(TRANSFORM path PREPEND -I)
  file(WRITE "${SCRATCH}/probe.cpp" "#include <${header}>\n")
  execute_process(COMMAND "${CXX}" -std=c++20 -fsyntax-only ${path} "${SCRATCH}/probe.cpp"
    RESULT_VARIABLE status ERROR_VARIABLE complaint)
  if(status EQUAL 0)
    set(complaint 0)
  endif()
  set(result "${complaint}" PARENT_SCOPE)
endfunction()

set(below)
foreach(layer ${LAYERS})
  file(GLOB headers RELATIVE "${SOURCE}" "${SOURCE}/${layer}/*.hpp")
  if(NOT headers)
    message(FATAL_ERROR "${layer}/ has no header")
  endif()
  list(GET headers 0 header)
  include_header(penning/${header} ${layer})
  if(NOT result STREQUAL "0")
    message(SEND_ERROR "${layer} cannot include its own ${header}:\n${result}")
  endif()
  foreach(floor ${below})
    include_header(penning/${header} ${floor})
    if(NOT result MATCHES "${header}: No such file")
      message(SEND_ERROR "${floor} can include ${header} from above it:\n${result}")
    endif()
  endforeach()
  list(APPEND below ${layer})

  # "../" would reach around the walls.
  file(GLOB_RECURSE sources "${SOURCE}/${layer}/*.[ch]pp")
  foreach(source ${sources})
    file(STRINGS "${source}" lines REGEX "^ *# *include .*\\.\\./")
    if(lines)
      message(SEND_ERROR "${source} includes by way of a folder above: ${lines}")
    endif()
  endforeach()
endforeach()
