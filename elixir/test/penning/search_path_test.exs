defmodule Penning.SearchPathTest do
  # PATH is that of all, and of a port program that starts meanwhile.
  use ExUnit.Case, async: false

  setup do
    path = System.get_env("PATH")
    System.put_env("PATH", "/nowhere")
    on_exit(fn -> System.put_env("PATH", path) end)
  end

  test "an executable that is nowhere is an error that says how to get it" do
    {:error, error} = Penning.Executable.find(nil, nil)
    assert error.message =~ "Build and install penning"
    assert error.message =~ "PENNINGD"
    assert error.message =~ "config :penning, executable:"
  end
end
