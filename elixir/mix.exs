defmodule Penning.MixProject do
  use Mix.Project

  @version "0.1.0"

  def project do
    [
      app: :penning,
      version: @version,
      elixir: "~> 1.14",
      description: "OTP supervision for OS processes and C++ actors, through one port program",
      elixirc_paths: elixirc_paths(Mix.env()),
      erlc_paths: erlc_paths(Mix.env()),
      elixirc_options: [warnings_as_errors: Mix.env() == :test],
      start_permanent: Mix.env() == :prod,
      deps: [],
      package: [
        licenses: ["Apache-2.0"],
        links: %{},
        files: ~w(lib src mix.exs README.md .formatter.exs)
      ]
    ]
  end

  def application do
    [mod: {Penning.Application, []}, extra_applications: [:logger]]
  end

  defp elixirc_paths(:test), do: ["lib", "test/support"]
  defp elixirc_paths(_), do: ["lib"]

  defp erlc_paths(:test), do: ["src", "test/support"]
  defp erlc_paths(_), do: ["src"]
end
