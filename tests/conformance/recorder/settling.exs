defmodule Recorder.Settling do
  @moduledoc "Waits until nothing happens any more."

  alias Recorder.Log

  @patience 10_000

  # Twice in a row nothing was under way and nothing new had happened.
  @doc "Throws where that takes too long. Those that are held do not count."
  def settle(held), do: settle(held, nil, System.monotonic_time(:millisecond) + @patience)

  defp settle(held, before, deadline) do
    if System.monotonic_time(:millisecond) > deadline, do: throw(:stuck)
    Log.sync()
    now = if Enum.all?(Log.live(), &calm?(&1, held)), do: Log.size(), else: nil

    if now == nil or now != before do
      # OTP tells nobody that a supervisor is at rest: look again.
      Process.sleep(1)
      settle(held, now, deadline)
    end
  end

  defp calm?({pid, process}, held),
    do: not Log.delays?(pid) and knows_all_ends?(pid) and answers?(pid, process, pid in held)

  # A link to one that has ended is left only until its exit has been received.
  defp knows_all_ends?(pid) do
    case Process.info(pid, :links) do
      {_, links} -> not Enum.any?(links, &Log.ended/1)
      nil -> false
    end
  end

  defp answers?(_pid, _process, true), do: true

  defp answers?(pid, %{kind: :worker}, false) do
    ref = Process.monitor(pid)
    send(pid, {:ping, self()})

    receive do
      {:pong, ^pid} -> Process.demonitor(ref, [:flush])
      {:DOWN, ^ref, _, _, _} -> false
    after
      @patience -> throw(:stuck)
    end
  end

  # It may be waiting for a child of its own.
  defp answers?(pid, _supervisor, false) do
    not Enum.any?(:supervisor.which_children(pid), &match?({_, :restarting, _, _}, &1))
  catch
    :exit, _ -> false
  end
end
