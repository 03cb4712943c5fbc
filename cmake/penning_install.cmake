# Installs the layers with their headers, a CMake package and one pkg-config file per layer.
#
# Everything is found relative to itself, so a prefix may be moved, and may have a space in it.
set(package_directory "${CMAKE_INSTALL_LIBDIR}/cmake/penning")
set(pkgconfig_directory "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
get_property(layers GLOBAL PROPERTY penning_layers)

# What a dependency of a layer means for find_package() and for pkg-config.
set(find_dependencies "")
function(penning_pkgconfig name description needs)
  set(requires)
  set(libs)
  foreach(need ${needs})
    get_property(pkgconfig GLOBAL PROPERTY "penning_pkgconfig_${need}")
    if(need MATCHES "^penning::(.+)")
      list(APPEND requires "penning-${CMAKE_MATCH_1}")
    elseif(pkgconfig MATCHES "^-")
      list(APPEND libs "${pkgconfig}")
    else()
      list(APPEND requires ${pkgconfig})
    endif()
  endforeach()
  if(TARGET penning_${name})
    list(PREPEND libs "-L\${libdir}" "-lpenning_${name}")
    set(package "penning-${name}")
  else()
    set(package "${name}")
  endif()
  list(JOIN requires ", " requires)
  list(JOIN libs " " libs)
  file(RELATIVE_PATH prefix "/prefix/${pkgconfig_directory}" "/prefix")
  string(REGEX REPLACE "/$" "" prefix "${prefix}")
  configure_file(cmake/penning.pc.in "${package}.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${package}.pc" DESTINATION "${pkgconfig_directory}")
endfunction()

foreach(layer ${layers})
  get_property(needs GLOBAL PROPERTY penning_needs_${layer})
  foreach(need ${needs})
    get_property(arguments GLOBAL PROPERTY "penning_find_${need}")
    if(arguments)
      list(APPEND find_dependencies "find_dependency(${arguments})")
    elseif(NOT need MATCHES "^penning::")
      message(FATAL_ERROR "Layer ${layer} needs ${need}: add it to penning_dependencies.cmake")
    endif()
  endforeach()
  penning_pkgconfig(${layer} "${PROJECT_DESCRIPTION}: the ${layer} layer" "${needs}")
endforeach()
list(REMOVE_DUPLICATES find_dependencies)
list(JOIN find_dependencies "\n" find_dependencies)
list(TRANSFORM layers PREPEND "penning::" OUTPUT_VARIABLE everything)
penning_pkgconfig(penning "${PROJECT_DESCRIPTION}" "${everything}")

list(TRANSFORM layers PREPEND "penning_" OUTPUT_VARIABLE targets)
install(TARGETS ${targets} EXPORT penning FILE_SET HEADERS)
install(EXPORT penning NAMESPACE penning:: FILE penningTargets.cmake
  DESTINATION "${package_directory}")

include(CMakePackageConfigHelpers)
configure_package_config_file(cmake/penningConfig.cmake.in penningConfig.cmake
  INSTALL_DESTINATION "${package_directory}")
write_basic_package_version_file(penningConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/penningConfig.cmake" "${PROJECT_BINARY_DIR}/penningConfigVersion.cmake"
  cmake/FindCAF.cmake cmake/FindLibcap.cmake
  DESTINATION "${package_directory}")
