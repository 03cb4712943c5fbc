defmodule Penning.Executable do
  @moduledoc """
  Where penningd is: the application's configuration, then the environment, then PATH.

      config :penning, executable: "/opt/penning/bin/penningd"

  The first place that names one decides: a configured path where nothing is, is an error, not a
  reason to go on to the next place.
  """

  @variable "PENNINGD"
  @program "penningd"

  @doc """
  The absolute path of penningd.

  `configured` and `variable` are the values of the first two places, `nil` or `""` for none.

      iex> Penning.Executable.find("/bin/sh", "/nowhere")
      {:ok, "/bin/sh"}
      iex> {:error, error} = Penning.Executable.find(nil, "/nowhere")
      iex> error.reason
      {:no_executable, [{"the environment variable PENNINGD", "names \\"/nowhere\\", which is no executable file"}]}
  """
  @spec find(Path.t() | nil, Path.t() | nil) :: {:ok, Path.t()} | {:error, Penning.Error.t()}
  def find(
        configured \\ Application.get_env(:penning, :executable),
        variable \\ System.get_env(@variable)
      ) do
    cond do
      named?(configured) -> locate("config :penning, executable:", configured)
      named?(variable) -> locate("the environment variable #{@variable}", variable)
      path = System.find_executable(@program) -> {:ok, path}
      true -> {:error, Penning.Error.exception({:no_executable, nowhere()})}
    end
  end

  @doc "The absolute path of a program that was named at `place`."
  @spec locate(String.t(), Path.t()) :: {:ok, Path.t()} | {:error, Penning.Error.t()}
  def locate(place, name) do
    case System.find_executable(name) do
      nil ->
        found = "names #{inspect(name)}, which is no executable file"
        {:error, Penning.Error.exception({:no_executable, [{place, found}]})}

      path ->
        {:ok, Path.expand(path)}
    end
  end

  defp named?(value), do: value not in [nil, ""]

  defp nowhere do
    [
      {"config :penning, executable:", "is not set"},
      {"the environment variable #{@variable}", "is not set"},
      {"PATH", "has no #{@program}"}
    ]
  end
end
