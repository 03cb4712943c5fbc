defmodule Penning.OwnChild do
  @moduledoc """
  The child of the calling process, as long as it lives: its callbacks may ask about it, where a
  call to itself would deadlock.
  """

  alias Penning.{Child, Connection}

  @key :"$penning_child"

  @doc "Remembers the calling process's child, or what has changed of it."
  @spec put(Child.t()) :: Child.t()
  def put(child) do
    Process.put(@key, Map.take(child, [:port, :hub, :id, :os_pid]))
    child
  end

  @doc "It has ended."
  @spec delete() :: :ok
  def delete do
    Process.delete(@key)
    :ok
  end

  @doc """
  What it answers to a request, which the calling process waits for.

  Others send the process a call, see `Penning.Child.ask/3`.
  """
  @spec ask(request :: term) :: {:ok, term} | {:error, term}
  def ask(request) do
    case Process.get(@key) do
      nil -> {:error, :noproc}
      %{os_pid: os_pid} when request == :os_pid -> {:ok, os_pid}
      own -> ask_and_wait(own, request)
    end
  end

  defp ask_and_wait(%{id: id, hub: hub} = own, request) do
    ref = Process.monitor(hub)
    Connection.write(own.port, {:request, {id, ref}, {:call, id, request}})

    receive do
      {:"$penning", {:reply, {^id, ^ref}, result}} ->
        Process.demonitor(ref, [:flush])
        Child.answer(result)

      # Its last message: what comes after it is not for us. It is looked at again.
      {:"$penning", {:down, ^id, _}} = down ->
        Process.demonitor(ref, [:flush])
        send(self(), down)
        {:error, :noproc}

      {:DOWN, ^ref, :process, _, _} ->
        {:error, :noproc}
    end
  end
end
