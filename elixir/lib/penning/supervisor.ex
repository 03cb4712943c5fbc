defmodule Penning.Supervisor do
  @moduledoc """
  A supervisor of OS processes with OTP's restart rules, and with what servers need besides:
  back-off, readiness, an order of start.

      {:ok, sup} =
        Penning.Supervisor.start_link(
          [
            %{
              id: :db,
              start: {"redis-server", ["--port", "7777"], ready: {:tcp, "127.0.0.1", 7777}},
              backoff: [initial: 100, max: 30_000]
            },
            %{id: :web, start: {"web", [], []}, start_after: [:db], restart: :transient}
          ],
          strategy: :one_for_one
        )

  The children are described in `Penning.ChildSpec`. They are restarted in the port program, without
  a message to the BEAM, and all of them end when the port program, the BEAM or this process does.

  In an application's tree:

      children = [{Penning.Supervisor, {children, name: MyApp.Servers}}]

  | option | value | default |
  |---|---|---|
  | `:strategy` | `:one_for_one`, `:one_for_all` or `:rest_for_one` | `:one_for_one` |
  | `:max_restarts` | restarts within `:max_seconds` that it takes to give up, less one | 3 |
  | `:max_seconds` | seconds, 1 or more | 5 |
  | `:auto_shutdown` | `:never`, `:any_significant` or `:all_significant` | `:never` |
  | `:output` | a function of the child's id, `:stdout` or `:stderr`, and bytes | Logger |
  | `:name` | as `GenServer.start_link/3` takes it | none |
  | `:port` | the `Penning.Port` process to use, of this node | `Penning.Port` |

  `:output` is called in the process of the supervisor, also while it starts. Its bytes count as
  consumed when it has returned: a function that is slow, slows the children down. Without it each
  line goes to Logger, stdout as `info` and stderr as `warning`, with the child's id as metadata
  `child`.

  This process ends with the reason of the supervisor in the port program: `:shutdown` when that
  gives up, `:noconnection` when the port program has ended. When it ends itself, it stops the
  children first, hands over what they still write, and waits until they are gone.
  """

  use GenServer

  alias Penning.{Calls, ChildOutput, ChildSpec, Connection, Protocol, Start, SupervisorOptions}

  require Logger

  # handles: the child's id by the Id of each run; children: the Id of its latest run by child's id
  defstruct [:port, :monitor, :id, :output, handles: %{}, children: %{}, calls: %Calls{}]

  @typedoc "The handle of a child, where OTP has a pid: a number that no other run of it has."
  @type child :: pos_integer

  @doc """
  Starts the children in order and returns once all are up.

  What is wrong with them or the options raises `ArgumentError`, naming option and value, before
  anything is started. Errors: `{:error, {:shutdown, {:failed_to_start_child, id, reason}}}` once
  those that had started are down again, `{:error, %Penning.Error{}}` without a port program.
  """
  @spec start_link([ChildSpec.t()], keyword) :: GenServer.on_start()
  def start_link(children, opts \\ []) do
    options = SupervisorOptions.new!(opts)
    specs = ChildSpec.wire_all!(children, options.flags.auto_shutdown)
    GenServer.start_link(__MODULE__, {options, specs, self()}, options.genserver) |> judged()
  end

  @doc false
  @spec child_spec({[ChildSpec.t()], keyword} | [ChildSpec.t()]) :: Supervisor.child_spec()
  def child_spec({children, opts}) do
    id = Keyword.get(opts, :name, __MODULE__)
    %{id: id, start: {__MODULE__, :start_link, [children, opts]}, type: :supervisor}
  end

  def child_spec(children) when is_list(children), do: child_spec({children, []})

  @doc "The children, latest start first: `{id, child | :undefined | :restarting, :worker, modules}`."
  @spec which_children(GenServer.server()) ::
          [{term, child | :undefined | :restarting, :worker, [module] | :dynamic}]
  def which_children(supervisor), do: call(supervisor, :which_children)

  @doc "How many there are, of which `:active` ones run."
  @spec count_children(GenServer.server()) :: %{atom => non_neg_integer}
  def count_children(supervisor) do
    with counts when is_list(counts) <- call(supervisor, :count_children), do: Map.new(counts)
  end

  @doc """
  Adds a child and starts it. Raises for a bad specification as `start_link/2` does; what depends on
  the other children and the flags, `:significant` and `:start_after`, is an error of OTP's.

  Errors: `{:already_started, child}`, `:already_present`, `{:bad_combination, list}`,
  `{:invalid_start_after, id}`, `{reason, record}` for a start that has failed, after which nothing
  is left of it.
  """
  @spec start_child(GenServer.server(), ChildSpec.t()) ::
          {:ok, child, os_pid :: pos_integer} | {:error, term}
  def start_child(supervisor, spec),
    do: supervisor |> call({:start_child, ChildSpec.wire!(spec)}) |> judged()

  @doc "Stops a child, which stays stopped until it is restarted by request, or with its siblings."
  @spec terminate_child(GenServer.server(), term) :: :ok | {:error, :not_found}
  def terminate_child(supervisor, id), do: call_about(supervisor, :terminate_child, id)

  @doc "Starts a child that does not run."
  @spec restart_child(GenServer.server(), term) ::
          {:ok, child, os_pid :: pos_integer} | {:error, term}
  def restart_child(supervisor, id), do: call_about(supervisor, :restart_child, id)

  @doc "Forgets a child that does not run."
  @spec delete_child(GenServer.server(), term) ::
          :ok | {:error, :not_found | :running | :restarting}
  def delete_child(supervisor, id), do: call_about(supervisor, :delete_child, id)

  @doc "The specification of a child, as the port program has it: with all of OTP's keys."
  @spec get_childspec(GenServer.server(), term) :: {:ok, map} | {:error, :not_found}
  def get_childspec(supervisor, id), do: call_about(supervisor, :get_childspec, id)

  @doc "The pid of a child's OS process; `nil` if it does not run."
  @spec os_pid(GenServer.server(), term) :: pos_integer | nil
  def os_pid(supervisor, id) do
    case call(supervisor, {:os_pid, id}) do
      os_pid when is_integer(os_pid) -> os_pid
      _does_not_run -> nil
    end
  end

  @doc """
  How a child is, as `Penning.info/1` tells; `:restarts` counts.

  `{:error, :noproc}` if it does not run.
  """
  @spec info(GenServer.server(), term) :: {:ok, map} | {:error, :noproc}
  def info(supervisor, id) do
    case call(supervisor, {:info, id}) do
      info when is_map(info) -> {:ok, info}
      {:error, _ended} -> {:error, :noproc}
    end
  end

  @doc "Stops the children, latest start first, and then the supervisor with `reason`."
  @spec stop(GenServer.server(), term, timeout) :: :ok
  def stop(supervisor, reason \\ :normal, timeout \\ :infinity),
    do: GenServer.stop(supervisor, reason, timeout)

  defp call_about(supervisor, request, id), do: call(supervisor, {request, ChildSpec.id!(id)})

  # Without a time limit, as OTP's supervisor: a start takes what it takes.
  defp call(supervisor, request), do: GenServer.call(supervisor, request, :infinity)

  # A mistake that only the port program could find: as loud as the ones found here.
  defp judged({:error, {:bad_option, name, value, text}}) do
    raise ArgumentError, "invalid option #{inspect(name)} with value #{inspect(value)}: #{text}"
  end

  defp judged(result), do: result

  @impl true
  def init({options, specs, parent}) do
    Process.flag(:trap_exit, true)
    state = %__MODULE__{output: ChildOutput.new(options.output)}
    # A restart has its predecessor's parent and children: Penning.Port lets it wait for one that
    # was killed.
    request = {{parent, __MODULE__, specs}, {:supervise, options.flags, specs}}

    case Start.run(options.port, request, parent, :infinity, state, &frame/2) do
      {{:ok, _}, state} ->
        {:ok, state}

      {{:error, reason}, _} ->
        # The answer of start_link is enough, whether its caller traps exits or not.
        Process.unlink(parent)
        {:stop, reason}
    end
  end

  @impl true
  def handle_call({:os_pid, child}, from, state), do: ask_child(child, :os_pid, nil, from, state)

  def handle_call({:info, child}, from, state),
    do: ask_child(child, :info, {:error, :noproc}, from, state)

  def handle_call(message, from, state), do: request({:call, state.id, message}, from, state)

  defp ask_child(child, request, otherwise, from, state) do
    case state.children do
      %{^child => handle} -> request({:call, handle, request}, from, state)
      _ -> {:reply, otherwise, state}
    end
  end

  defp request(request, from, state) do
    calls = Calls.ask(state.calls, state.port, state.id, request, from)
    {:noreply, %{state | calls: calls}}
  end

  @impl true
  def handle_cast(_message, state), do: {:noreply, state}

  @impl true
  def handle_info({:"$penning", {:down, id, reason}}, %{id: id} = state),
    do: {:stop, reason, %{state | id: nil}}

  def handle_info({:"$penning", frame}, state), do: {:noreply, frame(frame, state)}

  # The hub has died, and the port with it.
  def handle_info({:DOWN, monitor, :process, _, _}, %{monitor: monitor} = state),
    do: {:stop, :noconnection, %{state | id: nil}}

  # As OTP's supervisor: only its parent ends it by an exit signal, and GenServer sees to that.
  def handle_info(_message, state), do: {:noreply, state}

  @impl true
  def terminate(_reason, %{id: nil}), do: :ok

  def terminate(_reason, state) do
    Connection.write(state.port, {:exit, state.id, :shutdown})
    await_end(state)
  end

  defp await_end(%{id: id, monitor: monitor} = state) do
    receive do
      {:"$penning", {:down, ^id, _}} -> :ok
      {:DOWN, ^monitor, :process, _, _} -> :ok
      {:"$penning", frame} -> frame |> last_frame(state) |> await_end()
    end
  end

  # A function that crashes gets no more.
  defp last_frame(frame, state) do
    frame(frame, state)
  catch
    kind, reason ->
      Logger.error(Exception.format(kind, reason, __STACKTRACE__))
      %{state | output: ChildOutput.new(fn _id, _stream, _bytes -> :ok end)}
  end

  ## Frames

  defp frame({:starting, opened}, state) do
    monitor = Process.monitor(opened.hub)
    %{state | port: opened.port, monitor: monitor, id: opened.id}
  end

  defp frame({:message, id, {:child, child, handle}}, %{id: id} = state) do
    handles = Map.put(state.handles, handle, child)
    %{state | handles: handles, children: Map.put(state.children, child, handle)}
  end

  defp frame({:message, handle, {stream, bytes}}, state) when stream in [:data, :error] do
    put_output(state.handles[handle], handle, stream, bytes, state)
  after
    # Also when the function has crashed: the end, which terminate/2 waits for, comes after all
    # output.
    Connection.write(state.port, {:ack, handle, stream, Protocol.weight(bytes)})
  end

  defp frame({:down, handle, _reason}, state) do
    {child, handles} = Map.pop(state.handles, handle)
    output = ChildOutput.close(state.output, child, handle)
    # Its next run may be known already.
    children =
      if state.children[child] == handle,
        do: Map.delete(state.children, child),
        else: state.children

    %{state | handles: handles, children: children, output: output}
  end

  defp frame({:reply, {_, number}, result}, state),
    do: %{state | calls: Calls.answer(state.calls, number, answer(result))}

  defp frame(_written_or_exited, state), do: state

  defp put_output(child, handle, stream, bytes, state) do
    output = ChildOutput.put(state.output, child, handle, stream_name(stream), bytes)
    %{state | output: output}
  end

  defp stream_name(:data), do: :stdout
  defp stream_name(:error), do: :stderr

  defp answer({:ok, result}), do: result
  defp answer({:error, _} = error), do: error
end
