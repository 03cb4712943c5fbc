defmodule Penning.Error do
  @moduledoc """
  What went wrong between this node and a port program, in words.

  `Penning.open/3` and its relatives return it as `{:error, %Penning.Error{}}`;
  `Penning.executable_path/0` and `Penning.whereis/2` raise it. Match on `reason`:

    * `{:no_executable, asked}` - there is no port program; `asked` are the places that named one
    * `{:cannot_start, path, posix}` - the file is there and cannot be executed
    * `{:not_greeted, path, why}` - it started and did not answer the handshake: `why` is `:timeout`,
      `{:exit_status, status}`, `{:frame, bytes}`, or what it said instead
    * `{:bad_version, path, theirs}` - it speaks another version of the protocol
    * `{:ended, path, why}` - it ended, or spoke nonsense, while a request was under way
    * `:not_running` - the `Penning.Port` process itself is not there

        iex> Exception.message(Penning.Error.exception({:bad_version, "/usr/bin/penningd", 2}))
        "/usr/bin/penningd speaks version 2 of the port protocol, this package speaks version 1: install the two from the same release"
  """

  @type reason ::
          {:no_executable, [{String.t(), String.t()}]}
          | {:cannot_start, Path.t(), atom}
          | {:not_greeted, Path.t(), :timeout | {:exit_status, integer} | {:frame, binary} | term}
          | {:bad_version, Path.t(), term}
          | {:ended, Path.t(), {:exit_status, integer} | {:bad_frame, binary} | term}
          | :not_running

  @type t :: %__MODULE__{reason: reason, message: String.t()}

  # The text is a field, so that it also shows where only `inspect/1` is applied (supervisor
  # reports).
  defexception [:reason, :message]

  @impl true
  @spec exception(reason) :: t
  def exception(reason), do: %__MODULE__{reason: reason, message: text(reason)}

  defp text({:no_executable, asked}) do
    "there is no port program: " <>
      Enum.map_join(asked, "; ", fn {place, found} -> "#{place} #{found}" end) <>
      ". Build and install penning (its README says how), then put penningd into PATH, set the " <>
      "environment variable PENNINGD to its path, or say: config :penning, executable: \"/path/to/penningd\""
  end

  defp text({:cannot_start, path, posix}),
    do: "#{path} cannot be started: #{:file.format_error(posix)} (#{posix})"

  defp text({:not_greeted, path, :timeout}),
    do: "#{path} did not answer the handshake in time: it is no penning port program, or it hangs"

  defp text({:not_greeted, path, {:exit_status, status}}),
    do: "#{path} ended with status #{status} before it answered the handshake"

  defp text({:not_greeted, path, {:frame, bytes}}),
    do: "#{path} answered the handshake with #{excerpt(bytes)}: it is no penning port program"

  defp text({:not_greeted, path, why}),
    do: "#{path} did not answer the handshake: #{inspect(why)}"

  defp text({:bad_version, path, theirs}) do
    "#{path} speaks version #{inspect(theirs)} of the port protocol, this package speaks version " <>
      "#{Penning.Protocol.version()}: install the two from the same release"
  end

  defp text({:ended, path, {:exit_status, status}}), do: "#{path} ended with status #{status}"
  defp text({:ended, path, {:bad_frame, b}}), do: "#{path} sent what is no term: #{excerpt(b)}"
  defp text({:ended, path, why}), do: "#{path} ended: #{inspect(why)}"

  defp text(:not_running),
    do: "the Penning.Port process is not running: is the application :penning started?"

  defp excerpt(bytes), do: inspect(bytes, limit: 64, printable_limit: 64)
end
