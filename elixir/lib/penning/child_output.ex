defmodule Penning.ChildOutput do
  @moduledoc """
  Where the output of supervised processes goes: to a function, or line by line to Logger.

  Logger gets stdout as `info` and stderr as `warning`, with the child's id as metadata `child`.
  """

  alias Penning.Lines

  require Logger

  # fun: nil for Logger; rests: what is left of a line, by handle and stream
  defstruct fun: nil, rests: %{}

  @type stream :: :stdout | :stderr
  @type fun_of_output :: (child_id :: term, stream, Penning.Protocol.output() -> term)
  @type t :: %__MODULE__{fun: fun_of_output | nil, rests: map}

  @spec new(fun_of_output | nil) :: t
  def new(fun), do: %__MODULE__{fun: fun}

  @doc "Output of the child `id`; `handle` tells its runs apart."
  @spec put(t, term, term, stream, Penning.Protocol.output()) :: t
  def put(%{fun: nil} = output, id, handle, stream, {:eol, line}),
    do: put(output, id, handle, stream, line <> "\n")

  def put(%{fun: nil} = output, id, handle, stream, {:noeol, piece}),
    do: put(output, id, handle, stream, piece)

  def put(%{fun: nil} = output, id, handle, stream, bytes) do
    key = {handle, stream}
    {lines, rest} = Lines.split(Map.get(output.rests, key, ""), bytes)
    Enum.each(lines, &log(stream, &1, id))
    %{output | rests: Map.put(output.rests, key, rest)}
  end

  def put(output, id, _handle, stream, bytes) do
    output.fun.(id, stream, bytes)
    output
  end

  @doc "A run of a child has ended: what is left of its last lines is told."
  @spec close(t, term, term) :: t
  def close(output, id, handle) do
    for stream <- [:stdout, :stderr],
        rest = output.rests[{handle, stream}],
        rest not in [nil, ""],
        do: log(stream, rest, id)

    %{output | rests: Map.drop(output.rests, [{handle, :stdout}, {handle, :stderr}])}
  end

  defp log(:stdout, line, id), do: Logger.info(line, child: id)
  defp log(:stderr, line, id), do: Logger.warning(line, child: id)
end
