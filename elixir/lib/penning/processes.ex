defmodule Penning.Processes do
  @moduledoc """
  The processes of this BEAM that C++ actors of a port program know: what the program sends them,
  and how it hears of their ends. For `Penning.Port`.

  A process goes by its pid, or by the registered name under which the program asked for it.
  """

  alias Penning.{Connection, Protocol}

  require Logger

  defstruct monitors: %{}

  @typedoc "The names by which the program knows the processes that it wants to hear of, by monitor."
  @type t :: %__MODULE__{monitors: %{reference => Protocol.name()}}

  @doc "Does what a frame to a process asks. Where actors are named stand the pids for them."
  @spec frame(t, port, tuple) :: t
  def frame(processes, _port, {:watch, name}) do
    monitor = Process.monitor(name)
    %{processes | monitors: Map.put(processes.monitors, monitor, name)}
  end

  def frame(processes, _port, frame) do
    act(frame)
    processes
  end

  defp act({:send, to, message}), do: deliver(to, message)
  defp act({:cast, to, message}), do: GenServer.cast(to, message)

  # The answer is a message to us, with this tag: GenServer.reply/2 sends it.
  defp act({:call, ref, to, message}),
    do: deliver(to, {:"$gen_call", {self(), {:"$penning_call", ref}}, message})

  defp act({:exit, to, :undefined, reason}) do
    with pid when is_pid(pid) <- pid(to), do: Process.exit(pid, reason)
  end

  # By the process that stands for the actor: the signal comes from there.
  defp act({:exit, to, from, reason}) do
    with pid when is_pid(pid) <- pid(to), do: send(from, {:"$penning", {:exit, pid, reason}})
  end

  defp act({kind, to, from}) when kind in [:link, :unlink],
    do: send(from, {:"$penning", {kind, pid(to)}})

  # To a name that nobody has: its end is told by the monitor.
  defp deliver(to, message) do
    send(to, message)
  rescue
    ArgumentError -> :ok
  end

  defp pid(name) when is_atom(name), do: Process.whereis(name)
  defp pid(pid), do: pid

  @doc "The answer of a process to a call: whether this message is one, and was passed on."
  @spec reply(port, term) :: boolean
  def reply(port, {{:"$penning_call", ref}, reply}) do
    with {:error, reason} <- Connection.write(port, {:reply, ref, {:ok, reply}}),
         do: Connection.write(port, {:reply, ref, {:error, reason}})

    true
  end

  def reply(_port, _message), do: false

  @doc "A monitor has fired; `:error` if it is none of these."
  @spec down(t, port, reference, term) :: {:ok, t} | :error
  def down(processes, port, monitor, reason) do
    case Map.pop(processes.monitors, monitor) do
      {nil, _} ->
        :error

      {name, monitors} ->
        tell_gone(port, name, reason)
        {:ok, %{processes | monitors: monitors}}
    end
  end

  defp tell_gone(port, name, reason) do
    with {:error, refusal} <- Connection.write(port, {:gone, name, reason}),
         do: Connection.write(port, {:gone, name, refusal})
  end

  @doc "The program has ended."
  @spec forget(t) :: t
  def forget(processes) do
    Enum.each(processes.monitors, fn {monitor, _} -> Process.demonitor(monitor, [:flush]) end)
    %__MODULE__{}
  end
end
