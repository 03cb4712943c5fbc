# Precompiled headers: few sets, each compiled once and shared by the targets of one kind. CAF and
# GoogleTest are most of what a source of ours parses. A source still includes what it uses:
# the build with -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON must pass too.
set(penning_precompiled_std
  <algorithm> <chrono> <cstdint> <functional> <map> <memory> <optional> <string> <string_view>
  <system_error> <tuple> <utility> <variant> <vector>)
set(penning_precompiled_asio
  <boost/asio/io_context.hpp> <boost/asio/posix/stream_descriptor.hpp>
  <boost/asio/steady_timer.hpp> <boost/asio/write.hpp>)
set(penning_precompiled_caf
  <caf/actor_system.hpp> <caf/actor_system_config.hpp> <caf/event_based_actor.hpp>
  <caf/response_promise.hpp> <caf/scoped_actor.hpp> <caf/send.hpp>)

# An object library that does nothing but compile one set of headers.
function(penning_precompiled name)
  cmake_parse_arguments(arg "PIC" "" "HEADERS;DEPENDS" ${ARGN})
  set(source "${PROJECT_BINARY_DIR}/precompiled/${name}.cpp")
  file(CONFIGURE OUTPUT "${source}" CONTENT "// Only to compile its headers.\n" @ONLY)
  add_library(${name} OBJECT EXCLUDE_FROM_ALL "${source}")
  target_link_libraries(${name} PRIVATE ${arg_DEPENDS})
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ${arg_PIC})
  penning_compile_options(${name})
  target_precompile_headers(${name} PRIVATE ${arg_HEADERS})
endfunction()

penning_precompiled(penning_precompiled_io PIC
  HEADERS ${penning_precompiled_std} ${penning_precompiled_asio}
  DEPENDS Threads::Threads Boost::headers Boost::filesystem)
penning_precompiled(penning_precompiled_actors PIC
  HEADERS ${penning_precompiled_std} ${penning_precompiled_caf}
  DEPENDS Threads::Threads Boost::headers Boost::filesystem CAF::core)
if(PENNING_BUILD_TESTS)
  penning_precompiled(penning_precompiled_tests
    HEADERS ${penning_precompiled_std} ${penning_precompiled_caf} <gmock/gmock.h> <gtest/gtest.h>
    DEPENDS Threads::Threads Boost::headers Boost::filesystem CAF::core GTest::gmock GTest::gtest)
endif()
