defmodule Penning.Worker do
  @moduledoc """
  The process that `Penning.start_link/5` returns: one OS process and a callback module.

  Output is acknowledged when its callback has returned: a module that is slow, slows its program
  down, and no byte waits anywhere but in the window and in the program's pipe.

  When it stops, for whatever reason but a brutal kill, it stops its OS process first, hands what
  that still wrote to `handle_stdout/2` and `handle_stderr/2` (unless one of the callbacks has
  crashed), waits until it is gone and then calls `terminate/2`.
  """

  use GenServer

  alias Penning.Child

  require Logger

  @early :"$penning_early"
  @stdin :"$penning_stdin"

  # closers: who asked for the end; deadline: when the time of the callback module's own timeout is up
  defstruct [:module, :user, :child, :deadline, closers: []]

  @doc false
  @spec start_link(module, Penning.Options.t(), term, keyword) :: GenServer.on_start()
  def start_link(module, options, init_arg, genserver_options) do
    GenServer.start_link(__MODULE__, {module, options, init_arg, self()}, genserver_options)
  end

  @impl true
  def init({module, options, init_arg, parent}) do
    Process.flag(:trap_exit, true)

    case module.init(init_arg) do
      {:ok, user} -> launch(module, user, [], options, parent)
      {:ok, user, extra} -> launch(module, user, [extra], options, parent)
      {:stop, reason} -> {:stop, reason}
      :ignore -> :ignore
      other -> {:stop, {:bad_return_value, other}}
    end
  end

  defp launch(module, user, extra, options, parent) do
    # A restart has its predecessor's parent, module and program: Penning.Port lets it wait for a
    # killed one.
    case Child.open(options, {parent, module, options.program, options.args}, parent) do
      {:ok, %{early: []} = child} ->
        state = %__MODULE__{module: module, user: user, child: child}
        List.to_tuple([:ok, remember(state, extra) | extra])

      {:ok, child} ->
        state = %__MODULE__{module: module, user: user, child: child}
        {:ok, remember(state, extra), {:continue, {@early, extra}}}

      {:error, reason} ->
        terminate_module(module, reason, user)

        # Nothing has run yet: the answer of start_link is enough, whether its caller traps exits
        # or not.
        Process.unlink(parent)
        {:stop, reason}
    end
  end

  @impl true
  def handle_call({:"$penning", request}, from, state),
    do: {:noreply, %{state | child: Child.ask(state.child, request, from)}} |> idle()

  def handle_call(request, from, state),
    do: state.module.handle_call(request, from, state.user) |> returned(state)

  @impl true
  def handle_cast(request, state),
    do: state.module.handle_cast(request, state.user) |> returned(state)

  # What init wants to go on with comes first, then what was written before the program was ready.
  @impl true
  def handle_continue({@early, [{:continue, continue}]}, state),
    do: handle_continue(continue, state) |> early()

  def handle_continue({@early, _extra}, state), do: early({:noreply, state})

  def handle_continue(continue, state),
    do: state.module.handle_continue(continue, state.user) |> returned(state)

  @impl true
  def handle_info({from, {:command, data}}, state) when is_pid(from),
    do: command(data, state) |> notices()

  def handle_info({from, :close_stdin}, state) when is_pid(from),
    do: {:noreply, %{state | child: Child.close_stdin(state.child)}} |> idle()

  def handle_info({from, :close}, state) when is_pid(from) do
    closers = if from in state.closers, do: state.closers, else: [from | state.closers]
    {:noreply, %{state | child: Child.close(state.child), closers: closers}} |> idle()
  end

  # There is no owner that could change.
  def handle_info({from, {:connect, _new}}, state) when is_pid(from),
    do: {:noreply, state} |> idle()

  def handle_info({@stdin, notice}, state), do: stdin(notice, state)

  def handle_info(message, state) do
    case Child.handle(state.child, message) do
      {{:output, stream, bytes}, child} -> output(stream, bytes, %{state | child: child})
      {{:exited, _, _, _}, child} -> {:noreply, %{state | child: child}} |> idle()
      {{:down, reason}, child} -> ended(reason, %{state | child: child})
      {:done, child} -> %{state | child: child} |> notices()
      {:foreign, _} -> foreign(message, state)
    end
  end

  @impl true
  def terminate(reason, state) do
    deliver = last_output(reason, state.module)
    user = Enum.reduce(state.child.early, state.user, fn {s, b}, user -> deliver.(s, b, user) end)
    {_, user} = Child.stop(state.child, user, deliver)
    terminate_module(state.module, reason, user)
  after
    Child.farewell(state.closers)
  end

  # GenServer's reports show the callback module's own state. A callback of OTP since 25, of
  # Elixir since 1.17.
  if {:format_status, 1} in GenServer.behaviour_info(:callbacks), do: @impl(true)
  @doc false
  def format_status(status) do
    Map.new(status, fn
      {:state, %__MODULE__{user: user}} -> {:state, user}
      {:message, message} -> {:message, Child.brief(message)}
      other -> other
    end)
  end

  ## Output and end

  defp early({:noreply, state, {:continue, continue}}),
    do: handle_continue(continue, state) |> early()

  defp early(result) when elem(result, 0) != :noreply, do: result

  defp early(result) do
    case elem(result, 1) do
      %{child: %{early: []}} = state ->
        {:noreply, state} |> idle()

      %{child: %{early: [{stream, bytes} | rest]}} = state ->
        deliver(stream, bytes, %{state | child: %{state.child | early: rest}}) |> early()
    end
  end

  defp deliver(stream, bytes, state) do
    callback = callback(stream)

    if function_exported?(state.module, callback, 2),
      do: apply(state.module, callback, [bytes, state.user]) |> returned(state),
      else: {:noreply, state} |> idle()
  end

  defp output(stream, bytes, state) do
    deliver(stream, bytes, state)
  after
    # Also when the callback has crashed: the end, which terminate/2 waits for, comes after all
    # output.
    Child.ack(state.child, stream, bytes)
  end

  defp callback(:data), do: :handle_stdout
  defp callback(:error), do: :handle_stderr

  defp ended(reason, state) do
    if function_exported?(state.module, :handle_exit, 2) do
      case state.module.handle_exit(reason, state.user) do
        {:stop, _, _} = stop -> returned(stop, state)
        other -> {:stop, {:bad_return_value, other}, state}
      end
    else
      {:stop, reason, state}
    end
  end

  defp last_output(reason, module) do
    if graceful?(reason),
      do: &deliver_last(module, &1, &2, &3),
      else: fn _stream, _bytes, user -> user end
  end

  # What becomes of stdin comes in its turn, each by itself.
  defp notices(state) do
    {notices, child} = Child.notices(state.child)
    Enum.each(notices, &send(self(), {@stdin, &1}))
    {:noreply, %{state | child: child}} |> idle()
  end

  defp stdin(notice, state) do
    if function_exported?(state.module, :handle_stdin, 2) do
      state.module.handle_stdin(notice, state.user) |> returned(state)
    else
      with {:stdin_refused, bytes, reason} <- notice do
        Logger.warning("#{inspect(state.module)}: #{bytes} bytes for stdin refused: #{reason}")
      end

      {:noreply, state} |> idle()
    end
  end

  defp graceful?(reason) when reason in [:normal, :shutdown], do: true
  defp graceful?({:shutdown, _}), do: true
  defp graceful?(_), do: false

  # What the callback wants next does not matter any more, only its state does.
  defp deliver_last(_module, :exited, _exited, user), do: user

  defp deliver_last(module, stream, bytes, user) do
    callback = callback(stream)

    case function_exported?(module, callback, 2) && apply(module, callback, [bytes, user]) do
      {:noreply, user} -> user
      {:noreply, user, _} -> user
      {:stop, _, user} -> user
      _ -> user
    end
  catch
    kind, reason ->
      Logger.error(Exception.format(kind, reason, __STACKTRACE__))
      user
  end

  defp terminate_module(module, reason, user) do
    if function_exported?(module, :terminate, 2), do: module.terminate(reason, user)
  end

  defp command(data, state) do
    %{state | child: Child.command(state.child, data)}
  rescue
    ArgumentError ->
      Logger.error("Penning: a command is no iodata and was dropped: #{inspect(data)}")
      state
  end

  defp foreign(message, state) do
    if function_exported?(state.module, :handle_info, 2) do
      state.module.handle_info(message, state.user) |> returned(state)
    else
      Logger.warning("#{inspect(state.module)}: unexpected message #{inspect(message)}")
      {:noreply, state} |> idle()
    end
  end

  ## What the callback module returns, with our state around its own

  defp returned({:noreply, user}, state), do: {:noreply, put(state, user, [])}
  defp returned({:noreply, user, extra}, state), do: {:noreply, put(state, user, [extra]), extra}
  defp returned({:reply, reply, user}, state), do: {:reply, reply, put(state, user, [])}

  defp returned({:reply, reply, user, extra}, state),
    do: {:reply, reply, put(state, user, [extra]), extra}

  defp returned({:stop, reason, user}, state), do: {:stop, reason, put(state, user, [])}

  defp returned({:stop, reason, reply, user}, state),
    do: {:stop, reason, reply, put(state, user, [])}

  defp returned(other, state), do: {:stop, {:bad_return_value, other}, state}

  defp put(state, user, extra), do: remember(%{state | user: user}, extra)

  # A message that never reaches the callback module must not cancel the timeout that it asked
  # for.
  defp remember(state, [ms]) when is_integer(ms), do: %{state | deadline: now() + ms}
  defp remember(state, _extra), do: %{state | deadline: nil}

  defp idle(result) do
    case elem(result, tuple_size(result) - 1) do
      %{deadline: nil} -> result
      %{deadline: deadline} -> :erlang.append_element(result, max(deadline - now(), 0))
    end
  end

  defp now, do: System.monotonic_time(:millisecond)
end
