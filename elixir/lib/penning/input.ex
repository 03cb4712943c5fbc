defmodule Penning.Input do
  @moduledoc """
  Bytes on their way to a child's stdin. Pure.

  At most a window of them is between here and the child; the rest waits, in order, until the port
  program says how much the child has taken.

      iex> alias Penning.Input
      iex> {now, input} = Input.new(4) |> Input.push(["hel", ?l, "o"]) |> Input.close() |> Input.take()
      iex> now
      ["hell"]
      iex> {now, input} = input |> Input.written(4) |> Input.take()
      iex> now
      ["o", :close_stdin]
      iex> input |> Input.push("too late") |> Input.take() |> elem(0)
      []
  """

  # A larger write goes as several frames, so that no child keeps the port to itself.
  @chunk 65_536

  @enforce_keys [:window]
  defstruct [:window, under_way: 0, waiting: :queue.new(), closed?: false]

  @opaque t :: %__MODULE__{
            window: pos_integer,
            under_way: non_neg_integer,
            waiting: :queue.queue(binary | :close_stdin),
            closed?: boolean
          }

  @doc "Nothing under way, `window` bytes of room."
  @spec new(pos_integer) :: t
  def new(window), do: %__MODULE__{window: window}

  @doc "Adds bytes behind those that wait. After `close/1` they are dropped."
  @spec push(t, iodata) :: t
  def push(%__MODULE__{closed?: true} = input, _iodata), do: input

  def push(input, iodata) do
    case IO.iodata_to_binary(iodata) do
      "" -> input
      bytes -> %{input | waiting: :queue.in(bytes, input.waiting)}
    end
  end

  @doc "End of file, once what waits has gone."
  @spec close(t) :: t
  def close(%__MODULE__{closed?: true} = input), do: input
  def close(input), do: %{input | closed?: true, waiting: :queue.in(:close_stdin, input.waiting)}

  @doc "Drops what waits; nothing more is taken."
  @spec discard(t) :: t
  def discard(input), do: %{input | closed?: true, waiting: :queue.new()}

  @doc "The child has taken this many bytes."
  @spec written(t, non_neg_integer) :: t
  def written(input, bytes), do: %{input | under_way: max(input.under_way - bytes, 0)}

  @doc "What may be sent now, in order, in pieces of at most 64 KiB."
  @spec take(t) :: {[binary | :close_stdin], t}
  def take(input), do: take(input, [])

  defp take(%{window: window, under_way: under_way} = input, taken) do
    room = window - under_way

    case :queue.out(input.waiting) do
      {{:value, :close_stdin}, rest} -> take(%{input | waiting: rest}, [:close_stdin | taken])
      {{:value, bytes}, rest} when room > 0 -> take_bytes(input, bytes, rest, room, taken)
      _ -> {Enum.reverse(taken), input}
    end
  end

  defp take_bytes(input, bytes, rest, room, taken) do
    case min(room, @chunk) do
      part when part >= byte_size(bytes) ->
        take(sent(%{input | waiting: rest}, byte_size(bytes)), [bytes | taken])

      part ->
        <<now::binary-size(part), later::binary>> = bytes
        take(sent(%{input | waiting: :queue.in_r(later, rest)}, part), [now | taken])
    end
  end

  defp sent(input, bytes), do: %{input | under_way: input.under_way + bytes}
end
