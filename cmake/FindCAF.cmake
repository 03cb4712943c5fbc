# Finds the C++ Actor Framework, for whose 0.17 Debian ships no config file.
#
#   find_package(CAF 0.17.6 COMPONENTS core [io])
#
# Defines CAF_FOUND, CAF_VERSION and the targets CAF::core and CAF::io.
find_path(CAF_INCLUDE_DIR caf/all.hpp)
mark_as_advanced(CAF_INCLUDE_DIR)

if(CAF_INCLUDE_DIR)
  # 0.17 spells 0.17.6 as 1706; 1.x has the same macro in a generated header.
  foreach(header caf/config.hpp caf/detail/build_config.hpp)
    if(NOT CAF_VERSION AND EXISTS "${CAF_INCLUDE_DIR}/${header}")
      file(STRINGS "${CAF_INCLUDE_DIR}/${header}" line REGEX "^#define CAF_VERSION [0-9]+")
      if(line MATCHES "CAF_VERSION ([0-9]+)")
        math(EXPR major "${CMAKE_MATCH_1} / 10000")
        math(EXPR minor "(${CMAKE_MATCH_1} / 100) % 100")
        math(EXPR patch "${CMAKE_MATCH_1} % 100")
        set(CAF_VERSION "${major}.${minor}.${patch}")
      endif()
    endif()
  endforeach()
endif()

set(required CAF_INCLUDE_DIR)
foreach(component ${CAF_FIND_COMPONENTS})
  find_library(CAF_${component}_LIBRARY caf_${component})
  mark_as_advanced(CAF_${component}_LIBRARY)
  list(APPEND required CAF_${component}_LIBRARY)
  if(CAF_${component}_LIBRARY)
    set(CAF_${component}_FOUND TRUE)
  endif()
endforeach()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CAF
  REQUIRED_VARS ${required} VERSION_VAR CAF_VERSION HANDLE_COMPONENTS)

if(CAF_FOUND)
  foreach(component ${CAF_FIND_COMPONENTS})
    if(NOT TARGET CAF::${component})
      add_library(CAF::${component} UNKNOWN IMPORTED)
      # An imported target's include directories are SYSTEM: CAF's warnings are not ours.
      set_target_properties(CAF::${component} PROPERTIES
        IMPORTED_LOCATION "${CAF_${component}_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${CAF_INCLUDE_DIR}")
      if(NOT component STREQUAL "core")
        set_property(TARGET CAF::${component} PROPERTY INTERFACE_LINK_LIBRARIES CAF::core)
      endif()
    endif()
  endforeach()
endif()
