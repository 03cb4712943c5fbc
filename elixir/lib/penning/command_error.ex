defmodule Penning.CommandError do
  @moduledoc """
  A command of `Penning.stream!/3` could not be started, or has ended with an error.

  `reason` is what `Penning.open/3` returns for a start that fails, or the exit reason, as the
  documentation of `Penning` has them; `stderr` the last that it wrote there, at most 4096 bytes.

      iex> error = %Penning.CommandError{program: "grep", reason: {:exit_status, 2}, stderr: "grep: x: Is a directory\\n"}
      iex> Exception.message(error)
      "\\"grep\\" ended with status 2: grep: x: Is a directory"
      iex> Exception.message(%Penning.CommandError{program: "no-such-program", reason: :enoent})
      "\\"no-such-program\\" cannot be started: no such file or directory (enoent)"
  """

  @type t :: %__MODULE__{program: binary, reason: term, stderr: binary}

  defexception [:program, :reason, stderr: ""]

  @impl true
  def message(%{program: program, reason: reason, stderr: stderr}),
    do: "#{inspect(program)} #{text(reason)}" <> last_words(String.trim(stderr))

  defp text({:exit_status, status}), do: "ended with status #{status}"
  defp text({:signal, signal}), do: "was ended by signal #{signal}"
  defp text(:noconnection), do: "was lost: the port program has ended"
  defp text(:timeout), do: "did not start in time"

  defp text(posix) when is_atom(posix),
    do: "cannot be started: #{:file.format_error(posix)} (#{posix})"

  defp text(reason), do: "failed: #{inspect(reason)}"

  defp last_words(""), do: ""
  defp last_words(stderr), do: ": " <> stderr
end
