# A package from outside, said once for our own build, for users of the installed package and for
# users of pkg-config.
#
#   penning_dependency(TARGET PKGCONFIG NAME [VERSION] [COMPONENTS ...])
#
# Finds the package; from then on a layer may name TARGET among its DEPENDS. PKGCONFIG is a linker
# flag (-lcaf_core), the name of another .pc file (zlib), or empty.
macro(penning_dependency target pkgconfig)
  find_package(${ARGN} REQUIRED)
  string(REPLACE ";" " " penning_find_arguments "${ARGN}")
  set_property(GLOBAL PROPERTY "penning_find_${target}" "${penning_find_arguments}")
  set_property(GLOBAL PROPERTY "penning_pkgconfig_${target}" "${pkgconfig}")
endmacro()

penning_dependency(Threads::Threads -pthread Threads)
penning_dependency(Boost::headers "" Boost 1.81)
penning_dependency(Boost::filesystem -lboost_filesystem Boost 1.81 COMPONENTS filesystem)
penning_dependency(CAF::core -lcaf_core CAF 0.17.6 COMPONENTS core)
penning_dependency(Libcap::cap libcap Libcap)
penning_dependency(ZLIB::ZLIB zlib ZLIB)
penning_dependency(tomlplusplus::tomlplusplus tomlplusplus tomlplusplus 3.3)
penning_dependency(spdlog::spdlog spdlog spdlog 1.10)

# Only programs of ours use these, so no installed library needs them.
if(PENNING_BUILD_APPS OR PENNING_BUILD_BENCHMARKS)
  find_package(CLI11 REQUIRED)
  find_package(nlohmann_json REQUIRED)
  find_package(fmt REQUIRED)
endif()
