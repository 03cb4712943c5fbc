defmodule Penning.OutboxTest do
  use ExUnit.Case, async: true

  alias Penning.{Outbox, Protocol}

  # A port that gives back what it gets: each packet as it was written.
  setup do
    port = Port.open({:spawn_executable, "/bin/cat"}, [:binary, {:packet, 4}])
    %{port: port, outbox: %Outbox{port: port, batches?: true}}
  end

  defp put(outbox, frame) do
    {:ok, outbox} = Outbox.put(outbox, frame)
    outbox
  end

  defp written(port) do
    assert_receive {^port, {:data, packet}}, 5_000
    {frames, %{}} = Protocol.frames(packet, %{})
    Enum.map(frames, &:erlang.binary_to_term/1)
  end

  test "small frames go together once the mailbox is seen to", %{port: port, outbox: outbox} do
    frames = for n <- 1..5, do: {:send, n, :small}
    outbox = Enum.reduce(frames, outbox, &put(&2, &1))
    assert_received {:"$penning", :flush}
    refute_received {:"$penning", :flush}
    outbox = Outbox.flush(outbox)
    assert written(port) == frames

    outbox |> put({:send, 6, :alone}) |> Outbox.flush()
    assert_received {:"$penning", :flush}
    assert written(port) == [{:send, 6, :alone}]
  end

  test "what is large does not wait, nor does what is before it", %{port: port, outbox: outbox} do
    large = {:send, 2, :binary.copy("x", 100_000)}
    outbox = outbox |> put({:send, 1, :small}) |> put(large)
    assert written(port) == [{:send, 1, :small}]
    assert written(port) == [large]
    assert Outbox.flush(outbox).frames == []
  end

  test "a packet is bounded", %{port: port, outbox: outbox} do
    frames = for n <- 1..20, do: {:send, n, :binary.copy("x", 1_000)}
    frames |> Enum.reduce(outbox, &put(&2, &1)) |> Outbox.flush()
    packets = Stream.repeatedly(fn -> written(port) end) |> Enum.take(3)
    assert Enum.concat(packets) == frames
    assert Enum.all?(packets, &(length(&1) <= 8))
  end

  test "what is no frame is told, and leaves the others", %{port: port, outbox: outbox} do
    deep = Enum.reduce(1..3_000, [], fn _, inner -> [inner] end)
    outbox = put(outbox, {:send, 1, :small})
    assert Outbox.put(outbox, {:send, 1, deep}) == {:error, {:frame_too_deep, 1024}}
    Outbox.flush(outbox)
    assert written(port) == [{:send, 1, :small}]
  end

  test "to a program that reads no batches each frame goes alone", %{port: port, outbox: outbox} do
    outbox = %{outbox | batches?: false} |> put({:send, 1, :a}) |> put({:send, 2, :b})
    refute_received {:"$penning", :flush}
    assert written(port) == [{:send, 1, :a}]
    assert written(port) == [{:send, 2, :b}]
    assert outbox.frames == []
  end

  test "a port that has closed is no error", %{port: port, outbox: outbox} do
    outbox = put(outbox, {:send, 1, :small})
    Port.close(port)
    assert Outbox.flush(outbox).frames == []
  end
end
