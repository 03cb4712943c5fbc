# Finds libcap, which ships no config file for CMake.
#
#   find_package(Libcap)
#
# Defines Libcap_FOUND and the target Libcap::cap.
find_path(Libcap_INCLUDE_DIR sys/capability.h)
find_library(Libcap_LIBRARY cap)
mark_as_advanced(Libcap_INCLUDE_DIR Libcap_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libcap REQUIRED_VARS Libcap_LIBRARY Libcap_INCLUDE_DIR)

if(Libcap_FOUND AND NOT TARGET Libcap::cap)
  add_library(Libcap::cap UNKNOWN IMPORTED)
  set_target_properties(Libcap::cap PROPERTIES
    IMPORTED_LOCATION "${Libcap_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${Libcap_INCLUDE_DIR}")
endif()
