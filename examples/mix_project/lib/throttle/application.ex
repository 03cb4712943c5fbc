defmodule Throttle.Application do
  @moduledoc false

  use Application

  @impl true
  def start(_type, _args) do
    children = [
      {Penning.Port, name: Throttle.Port, executable: program()},
      # A C++ gen_server, 3 times in a second, and a C++ supervisor.
      {Penning.Actor, {"limiter", [3, 1_000], port: Throttle.Port, name: Throttle.Mail}},
      {Penning.Actor, {"limiters", [], port: Throttle.Port, name: Throttle.Limiters}}
    ]

    Supervisor.start_link(children, strategy: :rest_for_one, name: Throttle.Supervisor)
  end

  defp program do
    System.get_env("THROTTLE_PROGRAM") || Application.app_dir(:throttle, "priv/throttle")
  end
end
