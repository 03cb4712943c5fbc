# The port program under test: PENNINGD, or what PATH has. Without one there is nothing to test.
IO.puts(:stderr, "penningd: #{Penning.executable_path()}")

ExUnit.start(capture_log: true, assert_receive_timeout: 10_000)
