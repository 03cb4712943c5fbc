defmodule Penning.Child do
  @moduledoc """
  One OS process, as the process that stands for it sees it: what `Penning.Proxy` and
  `Penning.Worker` have in common.

  Belongs to the process that called `open/2`; frames come to its mailbox through `Penning.Port`,
  its own frames go straight to the port.
  """

  alias Penning.{Calls, ChildEvents, Connection, Input, Options, OwnChild, Protocol, Start}

  require Protocol

  @enforce_keys [:port, :hub, :monitor, :id, :input, :events]
  defstruct [:port, :hub, :monitor, :id, :os_pid, :input, :events, :reason] ++
              [early: [], early_bytes: 0, calls: %Calls{}]

  @typedoc """
  `os_pid` is `nil` once the process has ended; `reason` is set when all of it is gone; `early` is
  what it wrote before it was ready, oldest first, acknowledged already.
  """
  @type t :: %__MODULE__{
          port: port,
          hub: pid,
          monitor: reference,
          id: Penning.Protocol.id(),
          os_pid: pos_integer | nil,
          input: Input.t(),
          events: ChildEvents.t(),
          reason: term,
          early: [{Protocol.stream(), Protocol.output()}],
          early_bytes: non_neg_integer,
          calls: Calls.t()
        }

  @typedoc """
  What a message of the mailbox means: output to be consumed and then acknowledged, how the process
  has ended, its end, something that this module has dealt with, or nothing of ours.
  """
  @type event ::
          {:output, Protocol.stream(), Protocol.output()}
          | {:exited, pos_integer, term, map}
          | {:down, term}
          | :done
          | :foreign

  # Bytes that are kept before it is ready.
  @early_limit 16 * 1024 * 1024

  @doc """
  Starts an OS process for the calling process, while `wanted_by` lives.

  `{:error, posix}` for a program that cannot be started, `{:error, {:bad_option, text}}` for an
  option that only the port program could judge, `{:error, :timeout}` after `:start_timeout`,
  its exit reason if it ends before it is ready, `{:error, %Penning.Error{}}` without a port
  program.
  """
  @spec open(Options.t(), Penning.Port.key(), pid) :: {:ok, t} | {:error, term}
  def open(%Options{} = options, key, wanted_by) do
    events = ChildEvents.new(options)

    with {:error, reason} = error <- start(options, key, wanted_by, events) do
      ChildEvents.start_error(events, reason)
      error
    end
  end

  defp start(options, key, wanted_by, events) do
    request = {key, Options.request(options)}
    early = &early(&1, &2, options, events)

    case Start.run(options.port, request, wanted_by, options.start_timeout, nil, early) do
      {{:ok, opened}, child} -> {:ok, up(child || new(opened, options, events), opened)}
      {{:error, {:bad_option, name, value, text}}, _} -> bad_option(options, name, value, text)
      {{:error, {posix, text}}, _} when is_atom(posix) and is_binary(text) -> {:error, posix}
      {{:error, reason}, _} -> {:error, reason}
    end
  end

  defp new(%{port: port, hub: hub, id: id}, options, events) do
    input = Input.new(options.stdin_window, options.stdin_limit)
    monitor = Process.monitor(hub)
    common = [port: port, hub: hub, monitor: monitor, id: id, input: input, events: events]
    struct!(__MODULE__, common)
  end

  defp early({:starting, opened}, nil, options, events), do: new(opened, options, events)

  defp early(frame, child, _options, _events) do
    case handle(child, {:"$penning", frame}) do
      {{:output, stream, bytes}, child} ->
        kept = child.early_bytes + Protocol.weight(bytes)
        if kept <= @early_limit, do: ack(child, stream, bytes)
        %{child | early: [{stream, bytes} | child.early], early_bytes: kept}

      {_, child} ->
        child
    end
  end

  defp up(child, %{os_pid: os_pid}) do
    early = Enum.reverse(child.early)
    ack_rest(child, early, 0)
    events = ChildEvents.start(child.events, os_pid)
    OwnChild.put(%{child | os_pid: os_pid, early: early, early_bytes: 0, events: events})
  end

  # What has been held back beyond the limit: at most a window of each stream.
  defp ack_rest(%{early_bytes: all}, _early, _before) when all <= @early_limit, do: :ok
  defp ack_rest(_child, [], _before), do: :ok

  defp ack_rest(child, [{stream, bytes} | rest], before) do
    kept = before + Protocol.weight(bytes)
    if kept > @early_limit, do: ack(child, stream, bytes)
    ack_rest(child, rest, kept)
  end

  defp bad_option(options, name, value, text),
    do: {:error, {:bad_option, Options.complaint(options, name, value, text)}}

  @doc "Asks the child on behalf of somebody who is answered when it has: `handle/2` sees to that."
  @spec ask(t, request :: term, GenServer.from()) :: t
  def ask(%__MODULE__{reason: {:ended, _}} = child, _request, from) do
    GenServer.reply(from, {:error, :noproc})
    child
  end

  def ask(child, :os_pid, from) do
    GenServer.reply(from, {:ok, child.os_pid})
    child
  end

  def ask(%{id: id} = child, request, from),
    do: %{child | calls: Calls.ask(child.calls, child.port, id, {:call, id, request}, from)}

  @doc "What the port program answers to a `call`, in the words of `Penning.info/1` and the like."
  @spec answer({:ok, term} | {:error, term}) :: {:ok, term} | {:error, term}
  def answer({:ok, _} = ok), do: ok
  def answer({:error, {:bad_signal, _}} = error), do: error

  def answer({:error, {posix, text}}) when is_atom(posix) and is_binary(text),
    do: {:error, posix}

  # `noproc`, or the reason with which it has ended meanwhile.
  def answer({:error, _}), do: {:error, :noproc}

  @doc "Finds out what a message is, and does what needs nobody else."
  @spec handle(t, message :: term) :: {event, t}
  def handle(%__MODULE__{id: id} = child, {:"$penning", {:message, id, message}}),
    do: message(message, child)

  def handle(%__MODULE__{id: id} = child, {:"$penning", {:down, id, reason}}),
    do: down(reason, child)

  def handle(%__MODULE__{id: id} = child, {:"$penning", {:reply, {id, number}, result}}),
    do: {:done, %{child | calls: Calls.answer(child.calls, number, answer(result))}}

  def handle(%__MODULE__{monitor: monitor} = child, {:DOWN, monitor, :process, _, _}),
    do: down(:noconnection, child)

  def handle(child, {:"$penning", _}), do: {:done, child}
  def handle(child, _message), do: {:foreign, child}

  defp message({stream, output}, child)
       when stream in [:data, :error] and Protocol.is_output(output),
       do: {{:output, stream, output}, count(child, &ChildEvents.output(&1, stream, output))}

  defp message({:written, bytes}, child) when is_integer(bytes) do
    child = count(child, &ChildEvents.written(&1, bytes))
    {:done, flush(%{child | input: Input.written(child.input, bytes)})}
  end

  defp message({:stdin_refused, bytes, reason}, child),
    do: {:done, flush(%{child | input: Input.refused(child.input, bytes, reason)})}

  defp message({:stdin_closed, reason}, child),
    do: {:done, %{child | input: Input.fail(child.input, reason)}}

  defp message({:exited, _, how, usage} = exited, child) do
    child = count(child, &ChildEvents.exited(&1, how, usage))
    {exited, OwnChild.put(%{child | os_pid: nil})}
  end

  # `closed`: who asked is told when the process is gone, see farewell/1.
  defp message(_other, child), do: {:done, child}

  defp count(child, fun), do: %{child | events: fun.(child.events)}

  defp down(_reason, %{reason: {:ended, _}} = child), do: {:done, child}

  defp down(reason, child) do
    OwnChild.delete()
    ChildEvents.exit(child.events, reason)
    Process.demonitor(child.monitor, [:flush])
    calls = Calls.answer_all(child.calls, {:error, :noproc})
    {{:down, reason}, %{child | os_pid: nil, calls: calls, reason: {:ended, reason}}}
  end

  @doc "A message of the mailbox for a report: its bytes, which may be many, as their number."
  @spec brief(term) :: term
  def brief({:"$penning", {:message, id, {stream, output}}}) when Protocol.is_output(output),
    do: {:"$penning", {:message, id, {stream, "(#{Protocol.weight(output)} bytes)"}}}

  def brief(message), do: message

  @doc "Output has been consumed: as much again may come."
  @spec ack(t, Protocol.stream(), Protocol.output()) :: :ok
  def ack(_child, _stream, ""), do: :ok

  def ack(child, stream, output) do
    Connection.write(child.port, {:ack, child.id, stream, Protocol.weight(output)})
    :ok
  end

  @doc "What is to be told of stdin since the last time, oldest first."
  @spec notices(t) :: {[Input.notice()], t}
  def notices(child) do
    {notices, input} = Input.notices(child.input)
    {notices, %{child | input: input}}
  end

  @doc "Whether bytes for stdin wait here, for want of room."
  @spec waits?(t) :: boolean
  def waits?(child), do: Input.waits?(child.input)

  @doc "Tells what a new owner has to know of stdin."
  @spec tell_again(t) :: t
  def tell_again(child), do: %{child | input: Input.tell_again(child.input)}

  @doc "Bytes for stdin: now as far as there is room, the rest later."
  @spec command(t, iodata) :: t
  def command(child, iodata), do: flush(%{child | input: Input.push(child.input, iodata)})

  @doc "End of file for stdin, after all that was given to `command/2`."
  @spec close_stdin(t) :: t
  def close_stdin(child), do: flush(%{child | input: Input.close(child.input)})

  defp flush(child) do
    {now, input} = Input.take(child.input)
    Enum.each(now, &write_input(child, &1))
    %{child | input: input}
  end

  defp write_input(child, :close_stdin), do: tell(child, :close_stdin)
  defp write_input(child, bytes), do: tell(child, {:command, bytes})

  @doc "Asks for the end of the process. What still waits for stdin is dropped."
  @spec close(t) :: t
  def close(child) do
    tell(child, :close)
    %{child | input: Input.discard(child.input)}
  end

  defp tell(child, message), do: Connection.write(child.port, {:send, child.id, message})

  @doc """
  Stops the process and waits until it is gone. Its last output goes through `deliver`, with an
  accumulator, and is acknowledged: the end comes only after it. How it ended goes there too, as
  `:exited` and the whole message.
  """
  @spec stop(t, acc, (atom, term, acc -> acc)) :: {t, acc} when acc: term
  def stop(%__MODULE__{reason: {:ended, _}} = child, acc, _deliver), do: {child, acc}

  def stop(child, acc, deliver) do
    Connection.write(child.port, {:exit, child.id, :shutdown})
    await(child, acc, deliver)
  end

  defp await(%{id: id, monitor: monitor} = child, acc, deliver) do
    message =
      receive do
        {:"$penning", {_, ^id, _}} = message -> message
        {:"$penning", {:reply, {^id, _}, _}} = message -> message
        {:DOWN, ^monitor, :process, _, _} = message -> message
      end

    case handle(child, message) do
      {{:output, stream, bytes}, child} ->
        acc = deliver.(stream, bytes, acc)
        ack(child, stream, bytes)
        await(child, acc, deliver)

      {{:exited, _, _, _} = exited, child} ->
        await(child, deliver.(:exited, exited, acc), deliver)

      {{:down, _}, child} ->
        {child, acc}

      {:done, child} ->
        await(child, acc, deliver)
    end
  end

  @doc """
  Last words to those who asked for the end: `{self(), :closed}`.

  A process that does not trap exits asked for it and must not die of it: our link to it is taken
  away first, as the exit reason is going to be `:shutdown`.
  """
  @spec farewell(Enumerable.t()) :: :ok
  def farewell(pids) do
    Enum.each(pids, &(traps_exits?(&1) || Process.unlink(&1)))
    Enum.each(pids, &send(&1, {self(), :closed}))
  end

  defp traps_exits?(pid) when node(pid) != node(), do: true
  defp traps_exits?(pid), do: Process.info(pid, :trap_exit) == {:trap_exit, true}
end
