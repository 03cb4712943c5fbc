defmodule Penning.Protocol do
  @moduledoc """
  The frames of the port protocol, version 1, as terms and as bytes. Pure.

  A frame is one term in the external term format; Erlang's `{:packet, 4}` puts the length before
  it. docs/protocol.md of penning says what each one means.

      iex> alias Penning.Protocol
      iex> {:ok, bytes, _size} = Protocol.encode({:ack, 7, :data, 4096})
      iex> bytes |> IO.iodata_to_binary() |> :erlang.binary_to_term()
      {:ack, 7, :data, 4096}
      iex> Protocol.decode(:erlang.term_to_binary({:message, 7, {:data, "hello"}}))
      {:ok, {:message, 7, {:data, "hello"}}}
  """

  alias Penning.Depth

  @version 1
  @max_frame 64 * 1024 * 1024
  @max_term 256 * 1024 * 1024
  @piece 1024 * 1024
  @batch 8 * 1024
  @max_depth 1024

  @typedoc "An actor behind the port: an OS process or a C++ actor."
  @type id :: pos_integer
  @type stream :: :data | :error

  @typedoc "Bytes, or a line: whole, or a piece of one."
  @type output :: binary | {:eol | :noeol, binary}

  @type request ::
          {:open, program :: binary, args :: [binary], options :: map}
          | {:supervise, flags :: map, specs :: [map]}
          | {:start, name :: binary | atom, args :: list}
          | {:whereis, name :: binary | atom}
          | {:adopt, os_pid :: pos_integer, options :: map}
          | {:call, id, message :: term}
          | :info

  @typedoc "From the BEAM."
  @type outgoing ::
          {:hello, version :: pos_integer, options :: map}
          | {:request, ref :: term, request}
          | {:send, id, message :: term}
          | {:cast, id, message :: term}
          | {:ack, id, stream, bytes :: pos_integer}
          | {:exit, id, reason :: term}
          | {:exit, id, from :: pid, reason :: term}
          | {:proxy, id, pid}
          | {:gone, name, reason :: term}
          | {:reply, ref :: term, {:ok, term} | {:error, term}}

  @typedoc "To the BEAM."
  @type incoming ::
          {:hello, version :: term, info :: map}
          | {:starting, ref :: term, id}
          | {:reply, ref :: term, {:ok, term} | {:error, term}}
          | {:message, id, message :: term}
          | {:down, id, reason :: term}
          | {:error, what :: term, detail :: term}
          | {:handles, [id], frame :: term}
          | {:send | :cast, name, message :: term}
          | {:call, ref :: term, name, message :: term}
          | {:exit, name, from :: pid | :undefined, reason :: term}
          | {:link | :unlink, name, from :: pid}
          | {:watch, name}

  @typedoc "A process of the BEAM."
  @type name :: pid | atom

  @typedoc "Why a frame is not sent: its bytes, or how deep it may be."
  @type refusal :: {:frame_too_big | :frame_too_deep, pos_integer}

  @doc "The version that this package speaks."
  @spec version() :: pos_integer
  def version, do: @version

  @doc """
  The bytes of a frame and their number, without its length; `pieces/2` is for those that are more than
  one holds, `batch/1` for those that are few.

  A term that needs more than 256 MiB is refused, as the port program would. So is one that is nested
  deeper than it reads.

      iex> Penning.Protocol.encode({:ack, 1, :data, 2})
      {:ok, <<131, 104, 4, 119, 3, "ack", 97, 1, 119, 4, "data", 97, 2>>, 18}
      iex> Penning.Protocol.encode({:send, 1, Enum.reduce(1..1024, [], fn _, inner -> [inner] end)})
      {:error, {:frame_too_deep, 1024}}
  """
  @spec encode(outgoing) :: {:ok, iodata, pos_integer} | {:error, refusal}
  def encode(frame) do
    bytes = to_bytes(frame)
    size = :erlang.iolist_size(bytes)

    cond do
      # A container within another takes two bytes at the least.
      size > 2 * @max_depth and not Depth.within?(frame, @max_depth) ->
        {:error, {:frame_too_deep, @max_depth}}

      size > @max_term ->
        {:error, {:frame_too_big, size}}

      true ->
        {:ok, bytes, size}
    end
  end

  # An iovec refers to large binaries instead of copying them, and takes longer to make.
  defp to_bytes(frame) do
    if :erlang.external_size(frame) <= @batch,
      do: :erlang.term_to_binary(frame, minor_version: 2),
      else: :erlang.term_to_iovec(frame, minor_version: 2)
  end

  @doc "Whether a frame of so many bytes goes in one packet."
  @spec one_packet?(non_neg_integer) :: boolean
  def one_packet?(size), do: size <= @max_frame

  @doc "Whether frames of so many bytes together go in one packet."
  @spec batch?(non_neg_integer) :: boolean
  def batch?(size), do: size <= @batch

  @doc """
  The packet of these frames, the last one first.

      iex> Penning.Protocol.batch(["one"])
      "one"
      iex> IO.iodata_to_binary(Penning.Protocol.batch(["c", "ab"]))
      <<2, 2::32, "ab", 1::32, "c">>
  """
  @spec batch([iodata, ...]) :: iodata
  def batch([frame]), do: frame
  def batch(frames), do: [2 | with_sizes(frames, [])]

  defp with_sizes([frame | before], after_it),
    do: with_sizes(before, [<<:erlang.iolist_size(frame)::32>>, frame | after_it])

  defp with_sizes([], all), do: all

  @doc """
  What is sent of these bytes, each in a `{:packet, 4}` of its own: themselves, or pieces of at most a
  MiB where they are more than the 64 MiB of a frame. All pieces carry `number`.

      iex> Penning.Protocol.pieces("few", 1)
      ["few"]
      iex> pieces = Penning.Protocol.pieces(String.duplicate("x", 67_108_865), 7)
      iex> {length(pieces), List.last(pieces)}
      {65, <<1, 7::32, "x">>}
  """
  @spec pieces(iodata, non_neg_integer) :: [iodata]
  def pieces(bytes, number) do
    if bytes |> :erlang.iolist_size() |> one_packet?(),
      do: [bytes],
      else: bytes |> IO.iodata_to_binary() |> split(number)
  end

  defp split(<<piece::binary-size(@piece), rest::binary>>, number) when rest != "",
    do: [<<0, number::32, piece::binary>> | split(rest, number)]

  defp split(last, number), do: [<<1, number::32, last::binary>>]

  @doc """
  The frames that a packet holds or completes, with the pieces that have come before.

      iex> {[], pieces} = Penning.Protocol.frames(<<0, 7::32, "ab">>, %{})
      iex> Penning.Protocol.frames(<<1, 7::32, "c">>, pieces)
      {["abc"], %{}}
      iex> Penning.Protocol.frames(<<2, 2::32, "ab", 1::32, "c">>, %{})
      {["ab", "c"], %{}}
  """
  @spec frames(binary, pieces) :: {[binary], pieces} when pieces: %{non_neg_integer => iodata}
  def frames(<<0, number::32, bytes::binary>>, pieces),
    do: {[], Map.update(pieces, number, bytes, &[&1 | bytes])}

  def frames(<<1, number::32, bytes::binary>>, pieces) do
    {before, pieces} = Map.pop(pieces, number, [])
    {[IO.iodata_to_binary([before | bytes])], pieces}
  end

  def frames(<<2, several::binary>>, pieces), do: {split_batch(several), pieces}
  def frames(bytes, pieces), do: {[bytes], pieces}

  defp split_batch(<<size::32, frame::binary-size(size), rest::binary>>),
    do: [frame | split_batch(rest)]

  defp split_batch(<<>>), do: []
  defp split_batch(cut), do: [cut]

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
  defp frame?({:handles, ids, _}), do: is_list(ids) and Enum.all?(ids, &id?/1)
  defp frame?({tag, to, _}) when tag in [:send, :cast, :link, :unlink], do: name?(to)
  defp frame?({:call, _, to, _}), do: name?(to)
  defp frame?({:exit, to, _, _}), do: name?(to)
  defp frame?({:watch, to}), do: name?(to)
  defp frame?(_), do: false

  defp name?(to), do: is_pid(to) or is_atom(to)

  defp id?(id), do: is_integer(id) and id > 0
end
