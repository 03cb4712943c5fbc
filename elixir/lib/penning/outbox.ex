defmodule Penning.Outbox do
  @moduledoc """
  Frames of one process to a port program, held back until the process has seen to what stands in its
  mailbox already: what is small goes in one packet, whose cost is by far the larger part.

  A process that holds frames gets `{:"$penning", :flush}` and calls `flush/1`; so it does before it
  writes by itself, and before it ends.
  """

  alias Penning.{Connection, Protocol}

  @enforce_keys [:port, :batches?]
  defstruct [:port, :batches?, frames: [], size: 0, marked?: false]

  @typedoc "`batches?`: whether the program reads several frames in one packet."
  @type t :: %__MODULE__{
          port: port,
          batches?: boolean,
          frames: [iodata],
          size: non_neg_integer,
          marked?: boolean
        }

  @doc "Takes a frame, or says why it is none. What is large goes at once, after what is held."
  @spec put(t, Protocol.outgoing()) :: {:ok, t} | {:error, Protocol.refusal()}
  def put(%__MODULE__{} = outbox, frame) do
    with {:ok, bytes, size} <- Protocol.encode(frame) do
      {:ok, hold(outbox, bytes, size)}
    end
  end

  defp hold(%{size: before} = outbox, bytes, size) do
    cond do
      outbox.batches? and Protocol.batch?(before + size) ->
        mark(%{outbox | frames: [bytes | outbox.frames], size: before + size})

      before == 0 ->
        Connection.write_bytes(outbox.port, bytes, size)
        outbox

      true ->
        outbox |> write() |> hold(bytes, size)
    end
  end

  @doc "Writes what is held, as `{:\"$penning\", :flush}` asks."
  @spec flush(t) :: t
  def flush(outbox), do: %{write(outbox) | marked?: false}

  defp mark(%{marked?: true} = outbox), do: outbox

  defp mark(outbox) do
    send(self(), {:"$penning", :flush})
    %{outbox | marked?: true}
  end

  defp write(%{frames: []} = outbox), do: outbox

  defp write(%{frames: frames} = outbox) do
    packet = Protocol.batch(frames)
    Connection.write_bytes(outbox.port, packet, outbox.size)
    %{outbox | frames: [], size: 0}
  end
end
