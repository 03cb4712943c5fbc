defmodule Penning.ChildEvents do
  @moduledoc """
  The events of one OS process, see `Penning.Telemetry`, and what is counted for them.
  """

  alias Penning.{Options, Protocol, Telemetry}

  @enforce_keys [:program, :args, :since]
  defstruct [:program, :args, :since, :os_pid, :how] ++
              [usage: %{}, stdin: 0, stdout: 0, stderr: 0]

  @typedoc "`since` is when it was asked for, and then when it was up, in native units."
  @type t :: %__MODULE__{
          program: binary | nil,
          args: [binary] | nil,
          since: integer,
          os_pid: pos_integer | nil,
          how: term,
          usage: map,
          stdin: non_neg_integer,
          stdout: non_neg_integer,
          stderr: non_neg_integer
        }

  @doc "It is asked for now."
  @spec new(Options.t()) :: t
  def new(options),
    do: %__MODULE__{program: options.program, args: options.args, since: System.monotonic_time()}

  @doc "It is up, for the calling process."
  @spec start(t, pos_integer) :: t
  def start(events, os_pid) do
    now = System.monotonic_time()
    events = %{events | os_pid: os_pid}

    Telemetry.execute([:penning, :process, :start], fn ->
      {%{duration: now - events.since}, metadata(events)}
    end)

    %{events | since: now}
  end

  @doc "It could not be started."
  @spec start_error(t, term) :: :ok
  def start_error(events, reason) do
    Telemetry.execute([:penning, :process, :start_error], fn ->
      metadata = events |> metadata() |> Map.delete(:os_pid) |> Map.put(:reason, reason)
      {%{duration: System.monotonic_time() - events.since}, metadata}
    end)
  end

  @spec output(t, Protocol.stream(), Protocol.output()) :: t
  def output(events, :data, output), do: %{events | stdout: events.stdout + bytes(output)}
  def output(events, :error, output), do: %{events | stderr: events.stderr + bytes(output)}

  @spec written(t, non_neg_integer) :: t
  def written(events, bytes), do: %{events | stdin: events.stdin + bytes}

  @spec exited(t, how :: term, map) :: t
  def exited(events, how, usage), do: %{events | how: how, usage: usage}

  @doc "All that it was is gone. Of one that was never up a `start_error` tells."
  @spec exit(t, term) :: :ok
  def exit(%{os_pid: nil}, _reason), do: :ok

  def exit(events, reason) do
    Telemetry.execute([:penning, :process, :exit], fn ->
      {measurements(events), Map.merge(metadata(events), %{reason: reason, how: events.how})}
    end)
  end

  defp measurements(events) do
    Map.merge(Map.take(events.usage, [:user, :system, :max_rss]), %{
      duration: System.monotonic_time() - events.since,
      stdin_bytes: events.stdin,
      stdout_bytes: events.stdout,
      stderr_bytes: events.stderr
    })
  end

  defp metadata(events) do
    %{pid: self(), os_pid: events.os_pid, program: events.program, args: events.args}
  end

  # A line without what ends it.
  defp bytes({_eol_or_noeol, line}), do: byte_size(line)
  defp bytes(bytes), do: byte_size(bytes)
end
