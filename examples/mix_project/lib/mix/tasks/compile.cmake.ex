defmodule Mix.Tasks.Compile.Cmake do
  @shortdoc "Builds native/ with CMake"

  @moduledoc """
  Builds the program of `native/` with CMake, into `priv/` of the application.

  penning is found as CMake finds packages, with `CMAKE_PREFIX_PATH` for one; with `PENNING_SOURCE`
  it is built along. Nothing is built when `THROTTLE_PROGRAM` names a program that is there already.
  """

  use Mix.Task.Compiler

  @impl true
  def run(_args) do
    if System.get_env("THROTTLE_PROGRAM"), do: {:noop, []}, else: build()
  end

  defp build do
    source = ["-S", Path.expand("native"), "-B", folder(), "--log-level=NOTICE"]
    options = ["-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_RUNTIME_OUTPUT_DIRECTORY=#{priv()}"]
    parallel = ["--parallel", "#{System.schedulers_online()}"]

    with 0 <- cmake(source ++ options),
         0 <- cmake(["--build", folder(), "--target", "throttle" | parallel]) do
      {:ok, []}
    else
      status -> Mix.raise("cmake ended with #{status}; what it said is above")
    end
  end

  @impl true
  def clean do
    File.rm_rf!(folder())
    File.rm_rf!(priv())
  end

  defp cmake(args),
    do: "cmake" |> System.cmd(args, into: IO.stream(), stderr_to_stdout: true) |> elem(1)

  defp folder, do: Path.join(Mix.Project.app_path(), "cmake")

  defp priv, do: Path.join(Mix.Project.app_path(), "priv")
end
