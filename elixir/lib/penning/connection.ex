defmodule Penning.Connection do
  @moduledoc """
  A running port program: its start, its handshake, and frames to it.

  Frames from it arrive as `{port, {:data, bytes}}` at the process that opened it. Any process may
  write. `port_command` suspends a writer while the port program does not read; what a writer may
  have under way is bounded by credit, so this is rare and short.
  """

  alias Penning.{Error, Protocol, Telemetry}

  @handshake_ms 5_000

  # {Low, High}: one frame of 64 KiB does not suspend its writer; see open_port/2,
  # busy_limits_port.
  @busy_limits {131_072, 1_048_576}

  @enforce_keys [:port, :executable, :info, :since]
  defstruct [:port, :executable, :info, :since]

  @typedoc """
  `info` is what the port program told of itself: program, version, os_pid, containment; `since` when it
  did, in native units.
  """
  @type t :: %__MODULE__{port: port, executable: Path.t(), info: map, since: integer}

  @doc """
  Starts an executable as a port program and greets it. The caller becomes the port's owner and
  must trap exits.
  """
  @spec open(Path.t(), [String.t()]) :: {:ok, t} | {:error, Error.t()}
  def open(executable, args) do
    began = System.monotonic_time()

    with {:ok, port} <- start(executable, args),
         write(port, {:hello, Protocol.version(), %{batches: true}}),
         {:ok, info} <- greeted(port, executable) do
      now = System.monotonic_time()
      connection = %__MODULE__{port: port, executable: executable, info: info, since: now}
      tell(:start, connection, now - began, %{})
      {:ok, connection}
    end
  end

  @doc "The port program has ended, or was closed."
  @spec ended(t, term) :: :ok
  def ended(connection, reason) do
    tell(:stop, connection, System.monotonic_time() - connection.since, %{reason: reason})
  end

  defp tell(event, connection, duration, more) do
    Telemetry.execute([:penning, :port, event], fn ->
      info = Map.take(connection.info, [:os_pid, :version, :containment])
      metadata = Map.merge(info, %{port: self(), executable: connection.executable})
      {%{duration: duration}, Map.merge(metadata, more)}
    end)
  end

  @doc "Writes a frame. `:closed` when the port program is gone: its end is told elsewhere."
  @spec write(port, Protocol.outgoing()) :: :ok | :closed | {:error, Protocol.refusal()}
  def write(port, frame) do
    with {:ok, bytes, size} <- Protocol.encode(frame), do: write_bytes(port, bytes, size)
  end

  @doc "Writes a frame, or a packet of several, of so many bytes."
  @spec write_bytes(port, iodata, non_neg_integer) :: :ok | :closed
  def write_bytes(port, bytes, size) do
    if Protocol.one_packet?(size) do
      Port.command(port, bytes)
    else
      number = rem(System.unique_integer([:positive]), 0x1_0000_0000)
      bytes |> Protocol.pieces(number) |> Enum.each(&Port.command(port, &1))
    end

    :ok
  rescue
    ArgumentError -> :closed
  end

  @doc "Closes the port: the program reads end of file, stops its children and ends."
  @spec close(port) :: :ok
  def close(port) do
    Port.close(port)
    :ok
  rescue
    ArgumentError -> :ok
  end

  defp start(executable, args) do
    options = [:binary, :exit_status, :hide, {:packet, 4}, {:args, args}]
    options = [{:busy_limits_port, @busy_limits} | options]
    {:ok, Port.open({:spawn_executable, String.to_charlist(executable)}, options)}
  rescue
    error in [ErlangError, ArgumentError] ->
      posix = Map.get(error, :original, :badarg)
      {:error, Error.exception({:cannot_start, executable, posix})}
  end

  defp greeted(port, executable) do
    case answer(port) do
      # An echo of our own frame (cat, say) has an empty map and is no greeting.
      {:hello, 1, %{os_pid: pid} = info} when is_integer(pid) ->
        {:ok, info}

      {:hello, version, _} when version != 1 ->
        refuse(port, {:bad_version, executable, version})

      {:error, {:bad_version, _}, hello} ->
        refuse(port, {:bad_version, executable, theirs(hello)})

      {:error, :bad_version, detail} ->
        refuse(port, {:bad_version, executable, theirs(detail)})

      {:frame, bytes} ->
        refuse(port, {:not_greeted, executable, {:frame, bytes}})

      other ->
        refuse(port, {:not_greeted, executable, other})
    end
  end

  defp answer(port) do
    receive do
      {^port, {:data, bytes}} ->
        case Protocol.decode(bytes) do
          {:ok, {tag, _, _} = frame} when tag in [:hello, :error] -> said(frame, bytes)
          _ -> {:frame, bytes}
        end

      {^port, {:exit_status, status}} ->
        {:exit_status, status}

      {:EXIT, ^port, reason} ->
        reason
    after
      @handshake_ms -> :timeout
    end
  end

  defp said({:hello, 1, info}, bytes) when not is_map_key(info, :os_pid), do: {:frame, bytes}
  defp said(frame, _bytes), do: frame

  defp theirs({:hello, version, _}), do: version
  defp theirs(other), do: other

  defp refuse(port, reason) do
    close(port)
    {:error, Error.exception(reason)}
  end
end
