defmodule Penning.Proxy do
  @moduledoc """
  The process that `Penning.open/3` returns: one OS process, with an owner that it is linked to.

  Each chunk of output is acknowledged once it is in the owner's mailbox. It ends with the reason
  of its child, by an exit signal, quietly: that a program returned 1 is for its owner to judge,
  not for the log.
  """

  use GenServer, restart: :temporary

  alias Penning.Child

  require Logger

  defstruct [:owner, :child, closing?: false]

  @doc false
  @spec start(Penning.Options.t(), pid) :: GenServer.on_start()
  # Not start_link: a start that fails is an answer, and must not end an owner that traps no
  # exits.
  def start(options, owner), do: GenServer.start(__MODULE__, {options, owner})

  @impl true
  def init({options, owner}) do
    Process.flag(:trap_exit, true)

    with {:ok, child} <- Child.open(options, nil, owner) do
      # An owner that has died meanwhile is an exit signal with `noproc`.
      Process.link(owner)
      Enum.each(child.early, &send(owner, {self(), &1}))
      {:ok, %__MODULE__{owner: owner, child: %{child | early: []}}}
    else
      {:error, reason} -> {:stop, reason}
    end
  end

  @impl true
  def handle_call({:"$penning", request}, from, state),
    do: {:noreply, %{state | child: Child.ask(state.child, request, from)}}

  def handle_call(other, _from, state), do: {:reply, {:error, {:unknown_call, other}}, state}

  @impl true
  def handle_cast(other, state) do
    stranger(other)
    {:noreply, state}
  end

  @impl true
  def handle_info({owner, :close}, %{owner: owner} = state),
    do: {:noreply, %{state | child: Child.close(state.child), closing?: true}}

  def handle_info({owner, request}, %{owner: owner} = state),
    do: {:noreply, request |> owner(state) |> tell_notices()}

  def handle_info({:EXIT, other, :normal}, %{owner: owner} = state) when other != owner,
    do: {:noreply, state}

  # The owner has died, or somebody wants us to (Process.exit/2). As a GenServer under its parent,
  # we end with the same reason, our child first.
  def handle_info({:EXIT, _from, reason}, state) do
    stop(state)
    leave(reason, state)
  end

  def handle_info(message, state) do
    case Child.handle(state.child, message) do
      {{:output, stream, bytes}, child} ->
        send(state.owner, {self(), {stream, bytes}})
        Child.ack(child, stream, bytes)
        {:noreply, %{state | child: child}}

      {{:exited, _, _, _} = exited, child} ->
        send(state.owner, {self(), exited})
        {:noreply, %{state | child: child}}

      {{:down, reason}, child} ->
        leave(reason, %{state | child: child})

      {:done, child} ->
        {:noreply, tell_notices(%{state | child: child})}

      {:foreign, _} ->
        stranger(message)
        {:noreply, state}
    end
  end

  @impl true
  # GenServer.stop/3, or a system message.
  def terminate(_reason, state) do
    stop(state)
    if state.closing?, do: Child.farewell([state.owner])
  end

  defp owner({:command, data}, state) do
    %{state | child: Child.command(state.child, data)}
  rescue
    ArgumentError ->
      Logger.error("Penning: a command is no iodata and was dropped: #{inspect(data)}")
      state
  end

  defp owner(:close_stdin, state), do: %{state | child: Child.close_stdin(state.child)}

  defp owner({:connect, new}, state) when is_pid(new) do
    Process.link(new)
    if new != state.owner, do: Process.unlink(state.owner)
    send(state.owner, {self(), :connected})
    %{state | owner: new, child: Child.tell_again(state.child)}
  end

  defp owner(request, state) do
    stranger(request)
    state
  end

  defp tell_notices(state) do
    {notices, child} = Child.notices(state.child)
    Enum.each(notices, &send(state.owner, {self(), &1}))
    %{state | child: child}
  end

  # ProtonStream ignores what does not come from the owner, and so do we.
  defp stranger({from, request}) when is_pid(from) and (is_atom(request) or is_tuple(request)),
    do: :ok

  defp stranger(message), do: Logger.warning("Penning: unexpected message #{inspect(message)}")

  defp stop(state) do
    Child.stop(state.child, state.owner, fn
      :exited, exited, owner -> send(owner, {self(), exited}) && owner
      stream, output, owner -> send(owner, {self(), {stream, output}}) && owner
    end)
  end

  # An exit signal to oneself ends a process at once, with any reason, `normal` included, and
  # without the error report of a GenServer that stops.
  defp leave(reason, state) do
    if state.closing?, do: Child.farewell([state.owner])
    Process.flag(:trap_exit, false)
    Process.exit(self(), reason)
    {:stop, reason, state}
  end
end
