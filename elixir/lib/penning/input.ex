defmodule Penning.Input do
  @moduledoc """
  Bytes on their way to a child's stdin. Pure.

  At most a window of them is between here and the child; the rest waits, in order, until the port
  program says how much the child has taken. What waits has a limit.

      iex> alias Penning.Input
      iex> {now, input} = Input.new(4) |> Input.push(["hel", ?l, "o"]) |> Input.close() |> Input.take()
      iex> now
      ["hell"]
      iex> {now, input} = input |> Input.written(4) |> Input.take()
      iex> now
      ["o", :close_stdin]
      iex> {notices, input} = input |> Input.push("too late") |> Input.notices()
      iex> notices
      [{:stdin_busy, 5}, :stdin_ready, {:stdin_refused, 8, :epipe}]
      iex> input |> Input.take() |> elem(0)
      []
  """

  # A larger write goes as several frames, so that no child keeps the port to itself.
  @chunk 65_536

  # Pieces that may wait, here and there, for each costs memory besides its bytes.
  @max_pieces 65_536

  @enforce_keys [:window, :limit]
  defstruct [:window, :limit, under_way: 0, waiting: :queue.new(), waiting_bytes: 0, pieces: 0] ++
              [pieces_under_way: 0] ++
              [closed: nil, failed?: false, discarded?: false, busy?: false, notices: []]

  @typedoc """
  What is worth telling: more than a window is on its way or waits, no more than half of it does
  again, so many bytes have been refused, the child reads no more.
  """
  @type notice ::
          {:stdin_busy, non_neg_integer}
          | :stdin_ready
          | {:stdin_refused, pos_integer, atom}
          | {:stdin_closed, atom}

  @opaque t :: %__MODULE__{
            window: pos_integer,
            limit: non_neg_integer,
            under_way: non_neg_integer,
            waiting: :queue.queue(binary | :close_stdin),
            waiting_bytes: non_neg_integer,
            pieces: non_neg_integer,
            pieces_under_way: non_neg_integer,
            closed: atom,
            failed?: boolean,
            discarded?: boolean,
            busy?: boolean,
            notices: [notice]
          }

  @doc "Nothing under way, `window` bytes of room, at most `limit` bytes in all."
  @spec new(pos_integer, non_neg_integer) :: t
  def new(window, limit \\ 16 * 1024 * 1024),
    do: %__MODULE__{window: window, limit: max(window, limit)}

  @doc """
  Adds bytes behind those that wait.

  They are refused after `close/1` (`epipe`), and where more than the limit would wait (`eagain`),
  unless nothing waits.
  """
  @spec push(t, iodata) :: t
  def push(input, iodata) do
    bytes = IO.iodata_to_binary(iodata)

    cond do
      bytes == "" or input.discarded? ->
        input

      reason = why_not(input, byte_size(bytes)) ->
        notice(input, {:stdin_refused, byte_size(bytes), reason})

      true ->
        %{
          input
          | waiting: :queue.in(bytes, input.waiting),
            waiting_bytes: input.waiting_bytes + byte_size(bytes),
            pieces: input.pieces + 1
        }
        |> tell_busy()
    end
  end

  defp why_not(%{closed: reason}, _bytes) when reason != nil, do: reason

  defp why_not(input, bytes) do
    queued = queued(input)

    if queued > 0 and (queued + bytes > input.limit or input.pieces >= @max_pieces),
      do: :eagain
  end

  @doc "End of file, once what waits has gone."
  @spec close(t) :: t
  def close(%__MODULE__{closed: nil} = input),
    do: %{input | closed: :epipe, waiting: :queue.in(:close_stdin, input.waiting)}

  def close(input), do: input

  @doc "Drops what waits, and from now on all that comes: its end has been asked for."
  @spec discard(t) :: t
  def discard(input), do: %{drop(input) | discarded?: true}

  defp drop(input),
    do: %{input | waiting: :queue.new(), waiting_bytes: 0, pieces: 0, busy?: false}

  @doc "The child has taken a piece, of this many bytes."
  @spec written(t, non_neg_integer) :: t
  def written(input, bytes) do
    input = %{input | under_way: max(input.under_way - bytes, 0)}
    %{input | pieces_under_way: max(input.pieces_under_way - 1, 0)} |> tell_ready()
  end

  @doc "The port program has not taken so many bytes, or not all of them."
  @spec refused(t, non_neg_integer, atom) :: t
  def refused(input, bytes, :eagain),
    do: input |> written(bytes) |> notice({:stdin_refused, bytes, :eagain})

  # Nothing more is taken, whether the port program says so besides or not.
  def refused(input, _bytes, reason), do: fail(input, reason)

  @doc "The child reads no more: what waits is lost. Told once, to one who has not asked for its end."
  @spec fail(t, atom) :: t
  def fail(%__MODULE__{failed?: true} = input, _reason), do: input

  def fail(input, reason) do
    failed = %{drop(input) | closed: reason, failed?: true, under_way: 0, pieces_under_way: 0}
    if input.discarded?, do: failed, else: notice(failed, {:stdin_closed, reason})
  end

  @doc "Bytes that have not been taken yet."
  @spec queued(t) :: non_neg_integer
  def queued(input), do: input.under_way + input.waiting_bytes

  @doc "Whether there are bytes that could not be sent yet."
  @spec waits?(t) :: boolean
  def waits?(input), do: input.waiting_bytes > 0

  @doc "A new owner has not heard yet that it is busy."
  @spec tell_again(t) :: t
  def tell_again(%__MODULE__{busy?: true} = input),
    do: notice(input, {:stdin_busy, queued(input)})

  def tell_again(input), do: input

  @doc "What is to be told since the last time, oldest first."
  @spec notices(t) :: {[notice], t}
  def notices(%{notices: []} = input), do: {[], input}
  def notices(input), do: {Enum.reverse(input.notices), %{input | notices: []}}

  @doc "What may be sent now, in order, in pieces of at most 64 KiB."
  @spec take(t) :: {[binary | :close_stdin], t}
  def take(input), do: take(input, [])

  defp take(%{pieces_under_way: @max_pieces} = input, taken), do: {Enum.reverse(taken), input}

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
        take(sent(%{input | waiting: rest, pieces: input.pieces - 1}, byte_size(bytes)), [
          bytes | taken
        ])

      part ->
        <<now::binary-size(part), later::binary>> = bytes
        take(sent(%{input | waiting: :queue.in_r(later, rest)}, part), [now | taken])
    end
  end

  defp sent(input, bytes),
    do: %{
      input
      | under_way: input.under_way + bytes,
        pieces_under_way: input.pieces_under_way + 1,
        waiting_bytes: input.waiting_bytes - bytes
    }

  defp tell_busy(%{busy?: false} = input) do
    case queued(input) do
      queued when queued > input.window -> notice(%{input | busy?: true}, {:stdin_busy, queued})
      _ -> input
    end
  end

  defp tell_busy(input), do: input

  defp tell_ready(%{busy?: true} = input) do
    if queued(input) <= div(input.window, 2),
      do: notice(%{input | busy?: false}, :stdin_ready),
      else: input
  end

  defp tell_ready(input), do: input

  defp notice(input, notice), do: %{input | notices: [notice | input.notices]}
end
