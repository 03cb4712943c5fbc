defmodule Penning.Actor do
  @moduledoc """
  The local process that stands for a C++ actor which a port program published.

  `send/2`, `GenServer.call/3`, `GenServer.cast/2` and `Process.monitor/1` work on it: it
  forwards. It ends with the actor's reason, or with `:noconnection` when the port program has
  ended. It does not own the actor: only an exit signal of somebody else's (`Process.exit/2`) is
  passed on to it.

  In this version a cast arrives as the message itself, as `send/2` does, and what the actor
  sends by itself has no receiver here.
  """

  use GenServer, restart: :temporary

  alias Penning.{Calls, Connection}

  require Logger

  defstruct [:port, :monitor, :id, calls: %Calls{}]

  @doc false
  @spec start(pid, port, Penning.Protocol.id()) :: GenServer.on_start()
  def start(hub, port, id), do: GenServer.start(__MODULE__, {hub, port, id})

  @impl true
  def init({hub, port, id}) do
    Process.flag(:trap_exit, true)
    {:ok, %__MODULE__{port: port, monitor: Process.monitor(hub), id: id}}
  end

  @impl true
  def handle_call(message, from, %{id: id} = state) do
    calls = Calls.ask(state.calls, state.port, id, {:call, id, message}, from)
    {:noreply, %{state | calls: calls}}
  end

  @impl true
  def handle_cast(message, state), do: {:noreply, forward(message, state)}

  @impl true
  def handle_info({:"$penning", {:reply, {id, n}, result}}, %{id: id} = state),
    do: {:noreply, %{state | calls: Calls.answer(state.calls, n, answer(result))}}

  def handle_info({:"$penning", {:down, id, reason}}, %{id: id} = state), do: leave(reason, state)
  def handle_info({:"$penning", _}, state), do: {:noreply, state}

  def handle_info({:DOWN, monitor, :process, _, _}, %{monitor: monitor} = state),
    do: leave(:noconnection, state)

  def handle_info({:EXIT, _from, :normal}, state), do: {:noreply, state}

  def handle_info({:EXIT, _from, reason}, state) do
    tell({:exit, state.id, reason}, "an exit signal", state)
    {:noreply, state}
  end

  def handle_info(message, state), do: {:noreply, forward(message, state)}

  defp answer({:ok, reply}), do: reply
  defp answer({:error, _} = error), do: error

  defp forward(message, state) do
    tell({:send, state.id, message}, "a message", state)
    state
  end

  defp tell(frame, what, state) do
    with {:error, reason} <- Connection.write(state.port, frame),
         do: Logger.error("Penning: #{what} to a C++ actor was dropped: #{inspect(reason)}")
  end

  # As Penning.Proxy leaves: at once, quietly.
  defp leave(reason, state) do
    Process.flag(:trap_exit, false)
    Process.exit(self(), reason)
    {:stop, reason, state}
  end
end
