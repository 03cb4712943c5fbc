defmodule Penning.FakePort do
  @moduledoc """
  A port program in Elixir, for what penningd does not do by itself: publish actors, speak another
  version, send nonsense. Runs in a BEAM of its own.

  It publishes one actor, `counter`, with Id 1, which remembers what it hears.
  """

  @info %{program: "fake", version: "0", os_pid: 1, containment: "none"}

  def main([behaviour]) do
    port = Port.open({:fd, 0, 1}, [:binary, :eof, packet: 4])

    receive do
      {^port, {:data, bytes}} ->
        greet(List.to_string(behaviour), port, :erlang.binary_to_term(bytes))
    end

    loop(port, [])
  end

  defp greet("future", port, {:hello, version, _}) do
    say(port, {:error, {:bad_version, version}, {:hello, 2, @info}})
    System.halt(1)
  end

  defp greet("newer", port, _), do: say(port, {:hello, 2, @info})
  defp greet("dies", _port, _), do: System.halt(7)
  defp greet("mutters", port, _), do: Port.command(port, "hello?")

  defp greet("actors", port, {:hello, 1, %{}}) do
    say(port, {:hello, 1, @info})
    # Nobody asked: to be reported, and to concern nobody.
    say(port, {:error, :bad_frame, "unasked"})
    say(port, {:message, 99, :unasked})
    say(port, {:down, 99, :unasked})
    say(port, {:reply, 99, {:ok, :unasked}})
  end

  defp loop(port, heard) do
    receive do
      {^port, {:data, bytes}} -> loop(port, frame(:erlang.binary_to_term(bytes), port, heard))
      {^port, :eof} -> System.halt(0)
    end
  end

  defp frame({:request, ref, request}, port, heard) do
    with {_, _} = result <- reply(request, heard), do: say(port, {:reply, ref, result})
    heard
  end

  defp frame({:send, 1, :strange}, port, heard), do: say(port, {:strange, 1, 2, 3}) && heard
  defp frame({:send, 1, :nonsense}, port, heard), do: Port.command(port, "no term") && heard

  defp frame({:send, 1, {:nonsense_and, pid, message}}, port, heard) do
    frame = :erlang.term_to_binary({:send, pid, message})

    Port.command(
      port,
      <<2, byte_size(frame)::32, frame::binary, 1::32, "?", byte_size(frame)::32, frame::binary>>
    )

    heard
  end

  defp frame({:send, 1, :halt}, _port, _heard), do: System.halt(3)
  defp frame({:send, 1, message}, _port, heard), do: [message | heard]
  defp frame({:cast, 1, message}, _port, heard), do: [message | heard]
  defp frame({:proxy, 1, _pid}, _port, heard), do: heard
  defp frame({:exit, 1, _from, reason}, port, heard), do: say(port, {:down, 1, reason}) && heard
  defp frame({:exit, 1, :kill}, port, heard), do: say(port, {:down, 1, :killed}) && heard
  defp frame({:exit, 1, reason}, port, heard), do: say(port, {:down, 1, reason}) && heard

  defp reply({:whereis, name}, _heard) when name in ["counter", :counter], do: {:ok, 1}
  defp reply({:whereis, _name}, _heard), do: {:error, :not_found}
  defp reply({:call, 1, :heard}, heard), do: {:ok, Enum.reverse(heard)}
  defp reply({:call, 1, {:echo, term}}, _heard), do: {:ok, term}
  defp reply({:call, 1, :fail}, _heard), do: {:error, {:unexpected, :fail}}
  # Answered by the end only.
  defp reply({:call, 1, :hang}, _heard), do: :none
  defp reply(:info, _heard), do: {:ok, @info}

  defp say(port, term), do: Port.command(port, :erlang.term_to_binary(term))
end
