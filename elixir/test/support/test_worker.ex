defmodule Penning.TestWorker do
  @moduledoc """
  A callback module that tells the test what is called, and does what functions in messages say.
  """

  use GenServer
  @behaviour Penning

  def start_link({program, args, test, opts}),
    do: Penning.start_link(__MODULE__, program, args, test, opts)

  @impl GenServer
  def init(test) when is_pid(test) do
    send(test, {:init, self()})
    {:ok, %{test: test, seen: ""}}
  end

  def init(fun) when is_function(fun), do: fun.()

  @impl Penning
  def handle_stdout(data, state) do
    send(state.test, {:stdout, self(), data})
    state = %{state | seen: state.seen <> text(data)}
    if is_function(state[:on_stdout]), do: state.on_stdout.(data, state), else: {:noreply, state}
  end

  defp text({_eol_or_noeol, line}), do: line
  defp text(bytes), do: bytes

  @impl Penning
  def handle_stderr(data, state) do
    send(state.test, {:stderr, self(), data})
    {:noreply, state}
  end

  @impl Penning
  def handle_stdin(notice, state) do
    send(state.test, {:stdin, self(), notice})
    {:noreply, state}
  end

  @impl Penning
  def handle_exit(reason, state) do
    send(state.test, {:exit, self(), reason})

    if is_function(state[:on_exit]),
      do: state.on_exit.(reason, state),
      else: {:stop, reason, state}
  end

  @impl GenServer
  def handle_call(fun, from, state) when is_function(fun, 2), do: fun.(from, state)
  def handle_call(:seen, _from, state), do: {:reply, state.seen, state}

  @impl GenServer
  def handle_cast(fun, state), do: fun.(state)

  @impl GenServer
  def handle_info(fun, state) when is_function(fun, 1), do: fun.(state)

  def handle_info(message, state) do
    send(state.test, {:info, self(), message})
    {:noreply, state}
  end

  @impl GenServer
  def handle_continue(fun, state), do: fun.(state)

  @impl GenServer
  def terminate(reason, state) do
    with %{test: test} <- state, do: send(test, {:terminate, self(), reason, state[:seen]})
  end
end

defmodule Penning.BareWorker do
  @moduledoc "A callback module without a callback but init/1, and without GenServer's defaults."

  @behaviour Penning

  def init(arg), do: {:ok, arg}
end
