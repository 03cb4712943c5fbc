defmodule Penning.Feeder do
  @moduledoc """
  The process that enumerates the input of a `Penning.stream!/3`, since an enumerable may take its
  time, or never come to an end, while output goes on.

  It hands each piece to its `Penning.StreamServer` and waits until that wants more. An error in the
  enumerable is told to the server, and raised where the stream is enumerated.
  """

  @typedoc """
  `pid` is `nil` once it has ended; `waiting` is whom to answer while it waits for the server; it is
  `halted?` once it has been told that no more is wanted.
  """
  @type t :: %__MODULE__{pid: pid | nil, waiting: GenServer.from() | nil, halted?: boolean}
  defstruct [:pid, :waiting, halted?: false]

  @doc "There is nothing to feed, or no more."
  @spec none() :: t
  def none, do: %__MODULE__{}

  @doc "Feeds the calling process, linked to it."
  @spec start(Enumerable.t()) :: t
  def start(input) do
    server = self()
    %__MODULE__{pid: spawn_link(fn -> feed(server, input) end)}
  end

  @spec is?(t, pid) :: boolean
  def is?(feeder, pid), do: feeder.pid == pid

  @doc "It has handed over a piece and waits."
  @spec asks(t, GenServer.from()) :: t
  def asks(feeder, from), do: %{feeder | waiting: from}

  @doc "The next piece is welcome."
  @spec go_on(t) :: t
  def go_on(feeder), do: answer(feeder, :cont)

  @doc "Nothing more is taken: the enumerable is halted, if it waits for the server."
  @spec halt(t) :: t
  def halt(%{waiting: nil} = feeder), do: feeder
  def halt(feeder), do: %{answer(feeder, :halt) | halted?: true}

  @doc "Returns when it has ended. One that has not been halted may never end, and is killed."
  @spec await(t) :: :ok
  def await(%{pid: nil}), do: :ok

  def await(%{pid: pid, halted?: halted?}) do
    if not halted?, do: Process.exit(pid, :kill)

    receive do
      {:EXIT, ^pid, _} -> :ok
    end
  end

  defp answer(%{waiting: nil} = feeder, _what), do: feeder

  defp answer(feeder, what) do
    GenServer.reply(feeder.waiting, what)
    %{feeder | waiting: nil}
  end

  defp feed(server, input) do
    Enum.reduce_while(input, nil, fn piece, nil -> {push(server, piece), nil} end)
    GenServer.cast(server, :end_of_input)
  catch
    kind, reason -> GenServer.cast(server, {:input_failed, {kind, reason, __STACKTRACE__}})
  end

  defp push(server, piece) do
    _ = IO.iodata_length(piece)
    GenServer.call(server, {:input, piece}, :infinity)
  rescue
    ArgumentError ->
      reraise ArgumentError,
              "invalid piece of the input #{inspect(piece)}: expected iodata",
              __STACKTRACE__
  end
end
