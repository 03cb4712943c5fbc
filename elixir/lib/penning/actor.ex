defmodule Penning.Actor do
  @moduledoc """
  The local process that stands for a C++ actor behind a port.

  `send/2`, `GenServer.call/3`, `GenServer.cast/2`, `Process.monitor/1`, `Process.link/1` and
  `Process.exit/2` work on it, and `Supervisor`'s functions if the actor is a supervisor: it
  forwards. It ends with the actor's reason, or with `:noconnection` when the port program has
  ended. A call that the actor has not answered when it ends exits with that reason.

  Whoever is linked to it is as if linked to the actor: when it ends, the actor gets its exit
  signal, and the other way round.

  ## Published actors

  `Penning.whereis/2` gives the process that stands for an actor which the program has published, and
  so does every message in which an actor is named. It does not own the actor; killed by
  `Process.exit(pid, :kill)`, which it cannot pass on before it dies, it has the actor killed after.

  ## Under a supervisor

  `start_link/3` has the program start an actor which it offers, and owns it:

      children = [{Penning.Actor, {"counter", [0], port: MyApp.Engine}}]

  When its supervisor stops it, the actor ends first; a restart after a brutal kill waits until the
  actor of before is gone.
  """

  use GenServer, restart: :permanent

  alias Penning.{Calls, Outbox, PortOption, Start}

  require Logger

  defstruct [:outbox, :monitor, :id, owns?: false, links: MapSet.new(), calls: %Calls{}]

  @doc false
  @spec start(map) :: GenServer.on_start()
  def start(opened), do: GenServer.start(__MODULE__, {:known, opened})

  @doc """
  Starts what the port program offers under this name, with these arguments, linked to the caller.

  Options: `:port`, and those of `GenServer.start_link/3`. Errors: `{:error, :not_found}` where
  nothing is offered under the name, the reason with which the start failed, `:ignore`,
  `{:error, %Penning.Error{}}` without a port program.
  """
  @spec start_link(binary | atom, list, keyword) :: GenServer.on_start()
  def start_link(name, args \\ [], opts \\ [])
      when (is_binary(name) or is_atom(name)) and is_list(args) do
    {port, genserver} = Keyword.pop(opts, :port, Penning.Port)
    start = {:start, name, args, PortOption.check!(port), self()}
    GenServer.start_link(__MODULE__, start, genserver)
  end

  @doc false
  def child_spec({name, args}), do: child_spec({name, args, []})

  def child_spec({name, args, opts}),
    do: %{
      id: Keyword.get(opts, :name, name),
      start: {__MODULE__, :start_link, [name, args, opts]}
    }

  def child_spec(name), do: child_spec({name, [], []})

  @impl true
  def init({:known, opened}) do
    Process.flag(:trap_exit, true)
    {:ok, new(opened)}
  end

  def init({:start, name, args, server, parent}) do
    Process.flag(:trap_exit, true)
    request = {{parent, __MODULE__, name, args}, {:start, name, args}}

    case Start.run(server, request, parent, :infinity, [], &[&1 | &2]) do
      {{:ok, opened}, early} ->
        # What came before the answer is handled after it.
        early |> Enum.reverse() |> Enum.each(&send(self(), {:"$penning", &1}))
        {:ok, %{new(opened) | owns?: true}}

      {{:error, :ignore}, _} ->
        :ignore

      {{:error, reason}, _} ->
        # The answer of start_link is enough, whether its caller traps exits or not.
        Process.unlink(parent)
        {:stop, reason}
    end
  end

  defp new(opened) do
    outbox = %Outbox{port: opened.port, batches?: opened.batches?}
    %__MODULE__{outbox: outbox, monitor: Process.monitor(opened.hub), id: opened.id}
  end

  @impl true
  def handle_call(message, from, %{id: id} = state) do
    {frame, calls} = Calls.request(state.calls, id, {:call, id, message}, from)

    case Outbox.put(state.outbox, frame) do
      {:ok, outbox} -> {:noreply, %{state | outbox: outbox, calls: calls}}
      {:error, _} = error -> {:reply, error, state}
    end
  end

  @impl true
  def handle_cast(message, state),
    do: {:noreply, tell({:cast, state.id, message}, "a cast", state)}

  @impl true
  def handle_info({:"$penning", {:reply, {id, n}, result}}, %{id: id} = state),
    do: {:noreply, %{state | calls: Calls.answer(state.calls, n, answer(result))}}

  def handle_info({:"$penning", {:down, id, reason}}, %{id: id} = state), do: leave(reason, state)

  def handle_info({:"$penning", {:exit, pid, reason}}, state) do
    Process.exit(pid, reason)
    {:noreply, state}
  end

  def handle_info({:"$penning", {:link, pid}}, state) when is_pid(pid) do
    Process.link(pid)
    {:noreply, %{state | links: MapSet.put(state.links, pid)}}
  end

  def handle_info({:"$penning", {:unlink, pid}}, state) do
    if is_pid(pid), do: Process.unlink(pid)
    {:noreply, %{state | links: MapSet.delete(state.links, pid)}}
  end

  def handle_info({:"$penning", :flush}, state),
    do: {:noreply, %{state | outbox: Outbox.flush(state.outbox)}}

  def handle_info({:"$penning", _}, state), do: {:noreply, state}

  def handle_info({:DOWN, monitor, :process, _, _}, %{monitor: monitor} = state),
    do: leave(:noconnection, state)

  def handle_info({:EXIT, from, reason}, state) when is_pid(from) do
    if ended_link?(from, state) do
      {:noreply, %{state | links: MapSet.delete(state.links, from)}}
    else
      {:noreply, tell({:exit, state.id, from, reason}, "an exit signal", state)}
    end
  end

  def handle_info(message, state),
    do: {:noreply, tell({:send, state.id, message}, "a message", state)}

  # The actor made this link, so it hears of this end from Penning.Port.
  defp ended_link?(from, state),
    do: MapSet.member?(state.links, from) and from not in elem(Process.info(self(), :links), 1)

  @impl true
  def terminate(_reason, %{owns?: false} = state), do: Outbox.flush(state.outbox)

  def terminate(reason, %{id: id, monitor: monitor} = state) do
    {:ok, outbox} =
      with {:error, _} <- Outbox.put(state.outbox, {:exit, id, signal(reason)}),
           do: Outbox.put(state.outbox, {:exit, id, :shutdown})

    Outbox.flush(outbox)

    receive do
      {:"$penning", {:down, ^id, _}} -> :ok
      {:DOWN, ^monitor, :process, _, _} -> :ok
    end
  end

  # `normal` ends nobody, and `kill` would be no orderly end.
  defp signal(reason) when reason in [:normal, :kill], do: :shutdown
  defp signal(reason), do: reason

  defp answer({:ok, reply}), do: reply
  defp answer({:error, _} = error), do: error

  defp tell(frame, what, state) do
    case Outbox.put(state.outbox, frame) do
      {:ok, outbox} ->
        %{state | outbox: outbox}

      {:error, reason} ->
        Logger.error("Penning: #{what} to a C++ actor was dropped: #{inspect(reason)}")
        state
    end
  end

  # As Penning.Proxy leaves: at once, quietly.
  defp leave(reason, state) do
    Process.flag(:trap_exit, false)
    Process.exit(self(), reason)
    {:stop, reason, %{state | owns?: false}}
  end
end
