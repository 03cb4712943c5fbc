defmodule Penning.Port do
  @moduledoc """
  The process that owns the port to one port program and tells its actors apart.

  The application starts one for penningd, registered as `Penning.Port`. A port program of your
  own, with C++ actors of your own, gets another one under your supervisor:

      children = [{Penning.Port, name: MyApp.Engine, executable: "/opt/engine/bin/engine"}]

      Penning.open("cat", [], port: MyApp.Engine)
      Penning.whereis("counter", port: MyApp.Engine)

  The program is started on first use, and again after it has ended. When it ends, everything that
  it carried ends with reason `:noconnection`.

  Every proxy is monitored: when one ends and leaves its child behind (a brutal kill, a crash),
  the child is killed. A callback module that its supervisor restarts after a brutal kill waits
  here until the processes of the killed one are gone, so that it never finds its TCP port taken.
  """

  use GenServer

  alias Penning.{Actor, Connection, Error, Executable, Handles, Processes, Protocol, Table}

  require Logger
  require Protocol

  @options [:name, :executable, :args]

  @starts [:start, :given_up, :abandoned]

  # Credit beyond what is under way counts for nothing.
  @any_window 0xFFFF_FFFF_FFFF

  # connection: nil until first use, and after the program's end
  # pending: what each request was for, by its Ref: {:start, from, entry} until it is known under
  #   which Id, then {:up, from, id}; {:given_up, from, entry} if it is not wanted any more, and
  #   {:abandoned, from, entry} if who asked has died
  # opening: the Ref of the start that a process waits for, by its monitor, until it has an Id
  # held: starts that wait until their killed predecessor is gone
  defstruct executable: nil,
            args: [],
            connection: nil,
            next_ref: 1,
            pending: %{},
            opening: %{},
            held: [],
            table: Table.new(),
            processes: %Processes{},
            pieces: %{}

  @typedoc "What a restart has in common with what it replaces; `nil` for none."
  @type key :: term

  @doc """
  Starts the owner of a port program.

  Options: `:name`; `:executable`, a path or a name in PATH (penningd by default, found as
  `Penning.executable_path/0` finds it); `:args`, a list of binaries.
  """
  @spec start_link(keyword) :: GenServer.on_start()
  def start_link(opts \\ []) do
    Enum.each(opts, &check!/1)
    GenServer.start_link(__MODULE__, opts, Keyword.take(opts, [:name]))
  end

  @doc false
  def child_spec(opts) do
    %{id: Keyword.get(opts, :name, __MODULE__), start: {__MODULE__, :start_link, [opts]}}
  end

  @doc """
  What the port program tells of itself: `children`, `containment`, `os_pid`, `version`.

  Starts it if need be.
  """
  @spec info(GenServer.server()) :: {:ok, map} | {:error, Error.t()}
  def info(server \\ __MODULE__), do: call(server, :info)

  @doc false
  @spec whereis(GenServer.server(), binary | atom) :: {:ok, pid} | {:error, term}
  def whereis(server, name), do: call(server, {:whereis, name})

  # Without a time limit: starting a program may take what the machine takes, and a port program
  # that ends answers everybody.
  defp call(server, request) do
    GenServer.call(server, request, :infinity)
  catch
    :exit, _not_there_or_gone_meanwhile -> {:error, Error.exception(:not_running)}
  end

  defp check!({name, value}) when name in @options do
    valid? =
      case name do
        :name -> value != nil
        :executable -> is_binary(value) and value != ""
        :args -> is_list(value) and Enum.all?(value, &is_binary/1)
      end

    if not valid?,
      do: raise(ArgumentError, "invalid option #{inspect(name)} with value #{inspect(value)}")
  end

  defp check!({name, value}),
    do: raise(ArgumentError, "unknown option #{inspect(name)} with value #{inspect(value)}")

  @impl true
  def init(opts) do
    # The port is linked to us, and a write to a program that has died closes it with `epipe`.
    Process.flag(:trap_exit, true)
    Process.flag(:message_queue_data, :off_heap)
    {:ok, struct!(__MODULE__, Keyword.take(opts, [:executable, :args]))}
  end

  @impl true
  def handle_call({:whereis, name}, from, state) do
    {:noreply, request({:whereis, name}, {:whereis, from}, from, state)}
  end

  def handle_call(:info, from, state) do
    {:noreply, request(:info, {:info, from}, from, state)}
  end

  # See Penning.Start.
  @impl true
  def handle_cast({:start, from, {key, request}}, state),
    do: {:noreply, request_start({key, request, from}, state)}

  def handle_cast({:give_up, from}, state), do: {:noreply, give_up_start(from, state)}

  @impl true
  def handle_info({port, {:data, bytes}}, %{connection: %{port: port}} = state) do
    {frames, pieces} = Protocol.frames(bytes, state.pieces)
    {:noreply, received_all(frames, port, %{state | pieces: pieces})}
  end

  def handle_info({port, {:exit_status, status}}, %{connection: %{port: port}} = state) do
    {:noreply, lost({:exit_status, status}, state)}
  end

  def handle_info({:EXIT, port, reason}, %{connection: %{port: port}} = state) do
    {:noreply, lost(reason, state)}
  end

  def handle_info({:DOWN, monitor, :process, _pid, reason}, state) do
    case Map.pop(state.opening, monitor) do
      {nil, _} -> {:noreply, down(monitor, reason, state)}
      {ref, opening} -> {:noreply, disown(ref, :abandoned, %{state | opening: opening})}
    end
  end

  # What is no answer to a C++ actor is what an earlier port program left in our mailbox.
  def handle_info(message, %{connection: %{port: port}} = state) do
    Processes.reply(port, message)
    {:noreply, state}
  end

  def handle_info(_message, state), do: {:noreply, state}

  defp down(monitor, reason, %{connection: %{port: port}} = state) do
    case Processes.down(state.processes, port, monitor, reason) do
      {:ok, processes} -> %{state | processes: processes}
      :error -> proxy_down(Table.id(state.table, monitor), reason, state)
    end
  end

  defp down(_monitor, _reason, state), do: state

  @impl true
  def terminate(_reason, %{connection: nil}), do: :ok

  def terminate(reason, %{connection: connection}) do
    Connection.close(connection.port)
    Connection.ended(connection, reason)
  end

  ## Requests

  defp request_start({key, _, _} = start, state) do
    if dying?(key, state),
      do: %{state | held: state.held ++ [start]},
      else: request_start_now(start, state)
  end

  defp request_start_now({key, request, {pid, _} = from}, state) do
    entry = %{pid: pid, monitor: Process.monitor(pid), key: key, owned?: true}
    state = %{state | opening: Map.put(state.opening, entry.monitor, state.next_ref)}
    request(request, {:start, from, entry}, from, state)
  end

  defp request(request, purpose, from, state) do
    with {:ok, state} <- connected(state),
         ref = state.next_ref,
         result when result in [:ok, :closed] <-
           Connection.write(state.connection.port, {:request, ref, request}) do
      # Of a closed port we hear later, and answer then.
      %{state | next_ref: ref + 1, pending: Map.put(state.pending, ref, purpose)}
    else
      {:error, reason} ->
        GenServer.reply(from, {:error, reason})
        %{state | next_ref: state.next_ref + 1}
    end
  end

  defp connected(%{connection: nil} = state) do
    with {:ok, path} <- executable(state.executable),
         {:ok, connection} <- Connection.open(path, state.args) do
      {:ok, %{state | connection: connection}}
    end
  end

  defp connected(state), do: {:ok, state}

  defp executable(nil), do: Executable.find()
  defp executable(path), do: Executable.locate("the option :executable", path)

  ## Frames

  # Up to one that ends the connection.
  defp received_all([bytes | rest], port, %{connection: %{port: port}} = state),
    do: received_all(rest, port, received(bytes, state))

  defp received_all(_, _port, state), do: state

  defp received(bytes, state) do
    case Protocol.decode(bytes) do
      {:ok, frame} -> frame(frame, state)
      {:error, {:bad_frame, term}} -> strange(term, state)
      {:error, {:bad_term, bytes}} -> give_up({:bad_frame, bytes}, state)
    end
  end

  # The most frequent one, before all others.
  defp frame({:send, to, message}, state) when is_pid(to) do
    send(to, message)
    state
  end

  # Whoever stands for an actor has to be there before the frame is looked at.
  defp frame({:handles, ids, frame}, state) do
    state = Enum.reduce(ids, state, fn id, state -> state |> with_proxy(id) |> elem(1) end)
    frame |> Handles.replace(&Table.pid(state.table, &1)) |> frame(state)
  end

  defp frame({tag, _, _} = frame, state) when tag in [:send, :cast, :link, :unlink],
    do: to_process(frame, state)

  defp frame({tag, _, _, _} = frame, state) when tag in [:call, :exit],
    do: to_process(frame, state)

  defp frame({:watch, _} = frame, state), do: to_process(frame, state)

  defp frame({:message, id, {:child, _, child}} = frame, state) do
    case Table.get(state.table, id) do
      nil ->
        strange(frame, state)

      entry ->
        if entry.pid, do: send(entry.pid, {:"$penning", frame})
        entry = Map.merge(entry, %{monitor: nil, key: nil, above: id})
        %{state | table: Table.put(state.table, child, entry)}
    end
  end

  defp frame({:message, id, message} = frame, state) do
    if pid = Table.pid(state.table, id),
      do: send(pid, {:"$penning", frame}),
      else: consume(id, message, state)

    state
  end

  defp frame({:starting, ref, id}, state), do: starting(state.pending[ref], ref, id, state)

  # The answer to the process that stands for this Id, which chose this Ref.
  defp frame({:reply, {id, _}, _} = frame, state) do
    if pid = Table.pid(state.table, id), do: send(pid, {:"$penning", frame})
    state
  end

  defp frame({:reply, ref, result}, state) do
    {purpose, pending} = Map.pop(state.pending, ref)
    replied(purpose, result, %{state | pending: pending})
  end

  defp frame({:down, id, _} = frame, state) do
    {entry, table} = Table.remove(state.table, id)
    ended(entry, frame, %{state | table: table})
  end

  defp frame({:error, what, detail}, state) do
    Logger.error("#{program(state)} did not understand a frame: #{inspect({what, detail})}")
    state
  end

  defp frame(other, state), do: strange(other, state)

  defp to_process(frame, state) do
    processes = Processes.frame(state.processes, state.connection.port, frame)
    %{state | processes: processes}
  end

  defp starting({kind, from, entry}, ref, id, state) do
    state = started(entry, id, state)
    send(entry.pid, {:"$penning", {:starting, opened(id, nil, state)}})
    state = put_in(state.pending[ref], {:up, from, id})
    unwanted(kind, id, entry, state)
  end

  defp starting(_, ref, id, state), do: strange({:starting, ref, id}, state)

  defp unwanted(:start, _id, _entry, state), do: state
  defp unwanted(:given_up, id, _entry, state), do: kill_wanted(id, state)
  defp unwanted(:abandoned, id, entry, state), do: kill(id, entry, state)

  # Whoever stands for it is still there, and hears of its end.
  defp kill_wanted(id, state) do
    write(state, {:exit, id, :kill})
    state
  end

  defp started(entry, id, state),
    do: entry |> no_longer_opening(state) |> put(id, entry)

  # The program is told who stands for an actor, and knows it by that pid from then on.
  defp put(state, id, entry) do
    write(state, {:proxy, id, entry.pid})
    %{state | table: Table.put(state.table, id, entry)}
  end

  defp no_longer_opening(entry, state),
    do: %{state | opening: Map.delete(state.opening, entry.monitor)}

  defp opened(id, os_pid, %{connection: connection}) do
    batches? = connection.info[:batches] == true
    %{port: connection.port, hub: self(), id: id, os_pid: os_pid, batches?: batches?}
  end

  defp replied({kind, from, entry}, {:ok, {id, os_pid}}, state) when kind in @starts do
    GenServer.reply(from, {:ok, opened(id, os_pid, state)})
    unwanted(kind, id, entry, started(entry, id, state))
  end

  defp replied({kind, from, entry}, {:error, reason}, state) when kind in @starts do
    GenServer.reply(from, {:error, reason})
    Process.demonitor(entry.monitor, [:flush])
    no_longer_opening(entry, state)
  end

  defp replied({:up, from, id}, {:ok, up}, state) do
    os_pid = if is_tuple(up), do: elem(up, 1)
    GenServer.reply(from, {:ok, opened(id, os_pid, state)})
    state
  end

  defp replied({:up, from, id}, {:error, reason}, state) do
    {entry, table} = Table.remove(state.table, id)
    GenServer.reply(from, {:error, reason})
    ended(entry, nil, %{state | table: table})
  end

  defp replied({:whereis, from}, {:ok, id}, state) do
    {pid, state} = with_proxy(state, id)
    GenServer.reply(from, {:ok, pid})
    state
  end

  defp replied({_, from}, result, state) when is_tuple(from) do
    GenServer.reply(from, result)
    state
  end

  defp replied(_unknown, _result, state), do: state

  # One proxy for each C++ actor. It belongs to nobody: it ends with its actor or with us.
  defp with_proxy(state, id) do
    case Table.pid(state.table, id) do
      nil ->
        {:ok, pid} = Actor.start(opened(id, nil, state))
        {pid, put(state, id, %{pid: pid, monitor: Process.monitor(pid), key: nil, owned?: false})}

      pid ->
        {pid, state}
    end
  end

  defp ended(nil, _frame, state), do: state

  # What was killed is gone: its replacement may start.
  defp ended(%{pid: nil, key: key}, _frame, state) do
    {ready, held} =
      Enum.split_with(state.held, fn {k, _, _} -> k == key and not dying?(k, state) end)

    Enum.reduce(ready, %{state | held: held}, &request_start_now/2)
  end

  defp ended(%{pid: pid, monitor: monitor}, frame, state) do
    if monitor, do: Process.demonitor(monitor, [:flush])
    if frame, do: send(pid, {:"$penning", frame})
    state
  end

  ## Proxies that end before what they stand for

  # Not known by an Id yet: it is killed once it is.
  defp disown(ref, kind, state) do
    case state.pending do
      %{^ref => {_, from, entry}} -> put_in(state.pending[ref], {kind, from, entry})
      _ -> state
    end
  end

  defp give_up_start(from, state) do
    {unwanted, held} = Enum.split_with(state.held, &match?({_, _, ^from}, &1))
    Enum.each(unwanted, fn _ -> GenServer.reply(from, {:error, :given_up}) end)
    state = %{state | held: held}

    case Enum.find(state.pending, fn {_, purpose} -> elem(purpose, 1) == from end) do
      {ref, {:start, _, _}} -> disown(ref, :given_up, state)
      {_ref, {:up, _, id}} -> kill_wanted(id, state)
      _ -> state
    end
  end

  defp proxy_down(nil, _reason, state), do: state

  defp proxy_down(id, reason, state) do
    case Table.get(state.table, id) do
      # A handle does not own its actor. Only a kill, which it could not pass on, was meant for
      # the actor.
      %{owned?: false} when reason != :killed ->
        %{state | table: elem(Table.remove(state.table, id), 1)}

      entry ->
        kill(id, entry, state)
    end
  end

  defp kill(id, entry, state) do
    write(state, {:exit, id, :kill})
    children = Table.children(state.table, id)

    # Nobody knows what the proxy had acknowledged.
    for each <- [id | children],
        entry.owned?,
        stream <- [:data, :error],
        do: write(state, {:ack, each, stream, @any_window})

    %{state | table: Enum.reduce([id | children], state.table, &Table.orphan(&2, &1))}
  end

  # The output of an orphan: its end comes after it.
  defp consume(id, {stream, output}, state)
       when stream in [:data, :error] and Protocol.is_output(output) do
    if Table.get(state.table, id), do: write(state, {:ack, id, stream, Protocol.weight(output)})
  end

  defp consume(_id, _message, _state), do: :ok

  # The restart of a killed proxy may reach us before the news of its death.
  defp dying?(key, state) do
    state.table
    |> Table.ids(key)
    |> Enum.any?(fn id ->
      pid = Table.pid(state.table, id)
      pid == nil or not Process.alive?(pid)
    end)
  end

  ## The port program ends

  defp strange(term, state) do
    Logger.error("#{program(state)} sent a frame that is not in the protocol: #{inspect(term)}")
    state
  end

  defp give_up(reason, state) do
    Connection.close(state.connection.port)
    lost(reason, state)
  end

  defp lost(reason, state) do
    error = Error.exception({:ended, state.connection.executable, reason})
    Logger.error(Exception.message(error))
    Connection.ended(state.connection, reason)
    Enum.each(state.pending, &answer(&1, error))
    Enum.each(Table.to_list(state.table), &disconnect/1)

    processes = Processes.forget(state.processes)
    state = %{state | connection: nil, pending: %{}, opening: %{}, table: Table.new()}
    state = %{state | processes: processes, pieces: %{}}
    Enum.reduce(state.held, %{state | held: []}, &request_start_now/2)
  end

  defp answer({_ref, {kind, from, entry}}, error) when kind in @starts do
    Process.demonitor(entry.monitor, [:flush])
    GenServer.reply(from, {:error, error})
  end

  defp answer({_ref, purpose}, error), do: GenServer.reply(elem(purpose, 1), {:error, error})

  defp disconnect({_id, %{pid: nil}}), do: :ok

  defp disconnect({id, %{pid: pid, monitor: monitor}}) do
    if monitor, do: Process.demonitor(monitor, [:flush])
    send(pid, {:"$penning", {:down, id, :noconnection}})
  end

  defp program(state), do: state.connection.executable

  defp write(state, frame), do: Connection.write(state.connection.port, frame)
end
