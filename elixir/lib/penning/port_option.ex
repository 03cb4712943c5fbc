defmodule Penning.PortOption do
  @moduledoc """
  The option `:port`, checked before anything is started: what it names must be a `Penning.Port`,
  as any other process would leave the caller without an answer.

  Where there is no process (yet, or any more) it passes: who uses it finds out, and tells it as
  `%Penning.Error{reason: :not_running}`.
  """

  @doc """
  Returns the value; raises `ArgumentError`, naming option and value.

      iex> Penning.PortOption.check!(Penning.Port)
      Penning.Port

      iex> Penning.PortOption.check!(5)
      ** (ArgumentError) invalid option :port with value 5: expected a pid or a name

      iex> Penning.PortOption.check!(:init)
      ** (ArgumentError) invalid option :port with value :init: it is no Penning.Port
  """
  @spec check!(term) :: GenServer.server()
  # The application's own, which is nearly always meant, is not asked each time.
  def check!(Penning.Port), do: Penning.Port

  def check!(value) do
    if not server?(value), do: bad!(value, "expected a pid or a name")
    if value |> GenServer.whereis() |> other?(), do: bad!(value, "it is no Penning.Port")
    value
  end

  @doc """
  The same of one that is to start something.

  It must be on this node: what stands for an OS process writes to the Erlang port itself, and only
  processes of its node can.

      iex> Penning.PortOption.check_local!({Penning.Port, :"elsewhere@127.0.0.1"})
      ** (ArgumentError) invalid option :port with value {Penning.Port, :"elsewhere@127.0.0.1"}: it is on another node
  """
  @spec check_local!(term) :: GenServer.server()
  def check_local!(value) do
    if server?(value) and value |> GenServer.whereis() |> remote?(),
      do: bad!(value, "it is on another node")

    check!(value)
  end

  # Whether a process may be reached by this.
  defp server?({:via, module, _}), do: is_atom(module)
  defp server?({:global, _}), do: true
  defp server?({name, node}), do: is_atom(name) and is_atom(node)

  defp server?(server),
    do: is_pid(server) or (is_atom(server) and server not in [nil, true, false])

  defp remote?({_name, node}), do: node != node()
  defp remote?(pid), do: is_pid(pid) and node(pid) != node()

  # proc_lib notes there what each process has begun with. To ask would crash a process that does
  # not know the question.
  # A name may be that of a port, which the type of GenServer.whereis/1 leaves out.
  @dialyzer {:nowarn_function, other?: 1}
  defp other?(port) when is_port(port), do: true

  defp other?(server) do
    case dictionary(server) do
      {:dictionary, pairs} ->
        List.keyfind(pairs, :"$initial_call", 0) != {:"$initial_call", {Penning.Port, :init, 1}}

      _no_such_process_or_node ->
        false
    end
  end

  defp dictionary(nil), do: nil

  defp dictionary({name, node}),
    do:
      with(
        pid when is_pid(pid) <- :rpc.call(node, Process, :whereis, [name]),
        do: dictionary(pid)
      )

  defp dictionary(pid) when node(pid) == node(), do: Process.info(pid, :dictionary)
  defp dictionary(pid), do: :rpc.call(node(pid), Process, :info, [pid, :dictionary])

  defp bad!(value, text),
    do: raise(ArgumentError, "invalid option :port with value #{inspect(value)}: #{text}")
end
