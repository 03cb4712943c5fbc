defmodule Penning.Protocol do
  @moduledoc """
  The frames of the port protocol, version 1, as terms and as bytes. Pure.

  A frame is one term in the external term format; Erlang's `{:packet, 4}` puts the length before
  it. docs/protocol.md of penning says what each one means.

      iex> alias Penning.Protocol
      iex> {:ok, bytes} = Protocol.encode({:ack, 7, :data, 4096})
      iex> bytes |> IO.iodata_to_binary() |> :erlang.binary_to_term()
      {:ack, 7, :data, 4096}
      iex> Protocol.decode(:erlang.term_to_binary({:message, 7, {:data, "hello"}}))
      {:ok, {:message, 7, {:data, "hello"}}}
  """

  alias Penning.Depth

  @version 1
  @max_frame 64 * 1024 * 1024
  @max_depth 1024

  @typedoc "An actor behind the port: an OS process or a C++ actor."
  @type id :: pos_integer
  @type stream :: :data | :error

  @typedoc "Bytes, or a line: whole, or a piece of one."
  @type output :: binary | {:eol | :noeol, binary}

  @type request ::
          {:open, program :: binary, args :: [binary], options :: map}
          | {:supervise, flags :: map, specs :: [map]}
          | {:whereis, name :: binary | atom}
          | {:adopt, os_pid :: pos_integer, options :: map}
          | {:call, id, message :: term}
          | :info

  @typedoc "From the BEAM."
  @type outgoing ::
          {:hello, version :: pos_integer, options :: map}
          | {:request, ref :: term, request}
          | {:send, id, message :: term}
          | {:ack, id, stream, bytes :: pos_integer}
          | {:exit, id, reason :: term}

  @typedoc "To the BEAM."
  @type incoming ::
          {:hello, version :: term, info :: map}
          | {:starting, ref :: term, id}
          | {:reply, ref :: term, {:ok, term} | {:error, term}}
          | {:message, id, message :: term}
          | {:down, id, reason :: term}
          | {:error, what :: term, detail :: term}

  @typedoc "Why a frame is not sent: its bytes, or how deep it may be."
  @type refusal :: {:frame_too_big | :frame_too_deep, pos_integer}

  @doc "The version that this package speaks."
  @spec version() :: pos_integer
  def version, do: @version

  @doc """
  The bytes of a frame, without its length.

  A term that needs more than the 64 MiB of a frame is refused: the port program would close the
  port. So is one that is nested deeper than it reads: it could not tell whose request that was,
  and nobody would be answered.

      iex> {:error, {:frame_too_big, n}} = Penning.Protocol.encode({:send, 1, String.duplicate("x", 67_108_864)})
      iex> n > 67_108_864
      true
      iex> Penning.Protocol.encode({:send, 1, Enum.reduce(1..1024, [], fn _, inner -> [inner] end)})
      {:error, {:frame_too_deep, 1024}}
  """
  @spec encode(outgoing) :: {:ok, iodata} | {:error, refusal}
  def encode(frame) do
    if Depth.within?(frame, @max_depth),
      do: encode_shallow(frame),
      else: {:error, {:frame_too_deep, @max_depth}}
  end

  defp encode_shallow(frame) do
    # An iovec refers to large binaries instead of copying them.
    bytes = :erlang.term_to_iovec(frame)

    case :erlang.iolist_size(bytes) do
      size when size > @max_frame -> {:error, {:frame_too_big, size}}
      _ -> {:ok, bytes}
    end
  end

  @doc """
  The frame in these bytes.

      iex> alias Penning.Protocol
      iex> Protocol.decode("no term")
      {:error, {:bad_term, "no term"}}
      iex> Protocol.decode(:erlang.term_to_binary({:down, 0, :normal}))
      {:error, {:bad_frame, {:down, 0, :normal}}}

  Atoms are made as they come: the port program is trusted, and the messages of a C++ actor may
  carry any.
  """
  @spec decode(binary) :: {:ok, incoming} | {:error, {:bad_term, binary} | {:bad_frame, term}}
  def decode(bytes) do
    frame = :erlang.binary_to_term(bytes)
    if frame?(frame), do: {:ok, frame}, else: {:error, {:bad_frame, frame}}
  rescue
    ArgumentError -> {:error, {:bad_term, bytes}}
  end

  @doc """
  What acknowledges a piece of output: its bytes; of a line or a piece of one, one more.

      iex> Penning.Protocol.weight("abc")
      3
      iex> Penning.Protocol.weight({:eol, ""})
      1
  """
  @spec weight(output) :: non_neg_integer
  def weight(bytes) when is_binary(bytes), do: byte_size(bytes)
  def weight({_eol_or_noeol, bytes}), do: byte_size(bytes) + 1

  @doc "Whether this is a piece of output."
  defguard is_output(output)
           when is_binary(output) or
                  (is_tuple(output) and tuple_size(output) == 2 and
                     elem(output, 0) in [:eol, :noeol] and is_binary(elem(output, 1)))

  defp frame?({:message, id, _}), do: id?(id)
  defp frame?({:reply, _, {tag, _}}), do: tag in [:ok, :error]
  defp frame?({:starting, _, id}), do: id?(id)
  defp frame?({:down, id, _}), do: id?(id)
  defp frame?({:hello, _, info}), do: is_map(info)
  defp frame?({:error, _, _}), do: true
  defp frame?(_), do: false

  defp id?(id), do: is_integer(id) and id > 0
end
