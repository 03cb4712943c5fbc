%% @doc OS processes and C++ actors, from Erlang.
%%
%% The functions of the Elixir module `Penning', whose documentation tells the messages, the callbacks,
%% the options and the errors:
%%
%% ```
%% {ok, Ps} = penning:open("bc", ["-q"]),
%% penning:command(Ps, "2 + 2\n"),
%% receive {Ps, {data, <<"4\n">>}} -> ok end,
%% penning:close(Ps).
%% '''
%%
%% A callback module has the behaviours `gen_server' and `penning', and runs under a supervisor as
%% `#{id => web, start => {penning, start_link, [Module, "web", [], InitArg]}}'. What differs from Elixir:
%%
%% <ul>
%% <li>a program, its arguments, and text in options may be strings as well as binaries; what comes from
%%     a process is always a binary;</li>
%% <li>options are a property list: `clear_env' is `{clear_env, true}';</li>
%% <li>a name is registered as `gen_server' does it: `{name, {local, Name}}';</li>
%% <li>`undefined' stands where Elixir has `nil';</li>
%% <li>bad options are `error({badarg, Text})'; no port program is `{error, Error}' with a map whose
%%     `message' says why, and in {@link whereis/2}, which has no error to return, `error(Error)'.</li>
%% </ul>
-module(penning).

%% whereis/1 is ours here.
-compile({no_auto_import, [whereis/1]}).

-export([open/1, open/2, open/3, start_link/4, start_link/5, adopt/1, adopt/2, run/1, run/2, run/3]).
-export([command/2, close_stdin/1, close/1, connect/2]).
-export([signal/2, window_size/3, os_pid/1, info/1]).
-export([whereis/1, whereis/2, call/2, call/3, cast/2]).
-export_type([text/0, options/0, ps/0, actor/0, output/0, result/0]).

%% A string or a binary, in UTF-8.
-type text() :: unicode:chardata().
-type options() :: [proplists:property()].
%% The process that stands for an OS process.
-type ps() :: pid() | atom() | {global, term()} | {via, module(), term()} | {atom(), node()}.
%% A C++ actor: its name, or its pid from `whereis/2'.
-type actor() :: pid() | atom() | text().
-type output() :: binary() | {eol | noeol, binary()}.
-type result() :: #{how := {status, 0..255} | {signal, non_neg_integer(), boolean()},
                    out := binary(), err := binary(),
                    truncated := boolean(), timed_out := boolean(), usage := map()}.
-type noreply() :: {noreply, State :: term()}
                 | {noreply, State :: term(), timeout() | hibernate | {continue, term()}}
                 | {stop, Reason :: term(), State :: term()}.

-callback handle_stdout(output(), State :: term()) -> noreply().
-callback handle_stderr(output(), State :: term()) -> noreply().
-callback handle_stdin(Notice :: term(), State :: term()) -> noreply().
-callback handle_exit(Reason :: term(), State :: term()) -> {stop, term(), State :: term()}.
-optional_callbacks([handle_stdout/2, handle_stderr/2, handle_stdin/2, handle_exit/2]).

-define(PENNING, 'Elixir.Penning').

%% @equiv open(Program, [], [])
-spec open(text()) -> {ok, pid()} | {error, term()}.
open(Program) -> open(Program, [], []).

%% @equiv open(Program, Args, [])
-spec open(text(), [text()]) -> {ok, pid()} | {error, term()}.
open(Program, Args) -> open(Program, Args, []).

%% @doc Starts an OS process. The caller becomes its owner.
-spec open(text(), [text()], options()) -> {ok, pid()} | {error, term()}.
open(Program, Args, Options) ->
    checked(fun() -> ?PENNING:open(text(Program), texts(Args), options(Options)) end).

%% @equiv start_link(Module, Program, Args, InitArg, [])
-spec start_link(module(), text(), [text()], term()) -> {ok, pid()} | ignore | {error, term()}.
start_link(Module, Program, Args, InitArg) -> start_link(Module, Program, Args, InitArg, []).

%% @doc Starts an OS process with a callback module, linked to the caller.
-spec start_link(module(), text(), [text()], term(), options()) ->
          {ok, pid()} | ignore | {error, term()}.
start_link(Module, Program, Args, InitArg, Options) ->
    checked(fun() ->
        ?PENNING:start_link(Module, text(Program), texts(Args), InitArg, options(Options))
    end).

%% @equiv adopt(OsPid, [])
-spec adopt(pos_integer()) -> {ok, pid()} | {error, term()}.
adopt(OsPid) -> adopt(OsPid, []).

%% @doc Takes over an OS process that something else has started.
-spec adopt(pos_integer(), options()) -> {ok, pid()} | {error, term()}.
adopt(OsPid, Options) ->
    checked(fun() -> ?PENNING:adopt(OsPid, options(Options)) end).

%% @equiv run(Program, [], [])
-spec run(text()) -> {ok, result()} | {error, term()}.
run(Program) -> run(Program, [], []).

%% @equiv run(Program, Args, [])
-spec run(text(), [text()]) -> {ok, result()} | {error, term()}.
run(Program, Args) -> run(Program, Args, []).

%% @doc Runs a command to its end. `{input, Iodata}' is for its stdin.
-spec run(text(), [text()], options()) -> {ok, result()} | {error, term()}.
run(Program, Args, Options) ->
    checked(fun() -> ?PENNING:run(text(Program), texts(Args), options(Options)) end).

%% @doc Sends bytes to stdin.
-spec command(ps(), iodata()) -> ok.
command(Ps, Iodata) -> ?PENNING:command(Ps, Iodata).

%% @doc End of file for stdin, after all that was sent.
-spec close_stdin(ps()) -> ok.
close_stdin(Ps) -> ?PENNING:close_stdin(Ps).

%% @doc Stops the OS process. The caller receives `{Ps, closed}' when it is gone.
-spec close(ps()) -> ok.
close(Ps) -> ?PENNING:close(Ps).

%% @doc Makes another process the owner. The caller receives `{Ps, connected}'.
-spec connect(ps(), pid()) -> ok.
connect(Ps, NewOwner) -> ?PENNING:connect(Ps, NewOwner).

%% @doc Sends the OS process itself a signal, by its number or its name.
-spec signal(ps(), pos_integer() | atom() | text()) -> ok | {error, term()}.
signal(Ps, Signal) -> ?PENNING:signal(Ps, text(Signal)).

%% @doc The new size of its terminal.
-spec window_size(ps(), 0..65535, 0..65535) -> ok | {error, term()}.
window_size(Ps, Rows, Columns) ->
    checked(fun() -> ?PENNING:window_size(Ps, Rows, Columns) end).

%% @doc The pid of the OS process itself; `undefined' after its end.
-spec os_pid(ps()) -> pos_integer() | undefined.
os_pid(Ps) -> defined(?PENNING:os_pid(Ps)).

%% @doc How an OS process is.
-spec info(ps()) -> {ok, map()} | {error, term()}.
info(Ps) -> ?PENNING:info(Ps).

%% @equiv whereis(Name, [])
-spec whereis(atom() | text()) -> pid() | undefined.
whereis(Name) -> penning:whereis(Name, []).

%% @doc The local process that stands for a published C++ actor.
-spec whereis(atom() | text(), options()) -> pid() | undefined.
whereis(Name, Options) ->
    checked(fun() -> defined(?PENNING:whereis(text(Name), options(Options))) end).

%% @equiv call(Actor, Message, 5000)
-spec call(actor(), term()) -> term().
call(Actor, Message) -> call(Actor, Message, 5000).

%% @doc A request to a C++ actor, which exits as `gen_server:call/3' does.
-spec call(actor(), term(), timeout()) -> term().
call(Actor, Message, Timeout) -> ?PENNING:call(text(Actor), Message, Timeout).

%% @doc A message to a C++ actor.
-spec cast(actor(), term()) -> ok.
cast(Actor, Message) -> ?PENNING:cast(text(Actor), Message).

%% -- from Erlang's ways to Elixir's ----------------------------------------------------------------

defined(nil) -> undefined;
defined(Value) -> Value.

checked(Fun) ->
    try
        Fun()
    catch
        error:#{'__struct__' := 'Elixir.ArgumentError', message := Text} -> error({badarg, Text})
    end.

%% What is no text stays as it is, and is refused, with its name, by those that know better.
text(String) when is_list(String) ->
    try unicode:characters_to_binary(String) of
        Binary when is_binary(Binary) -> Binary;
        _ -> String
    catch
        error:badarg -> String
    end;
text(Other) -> Other.

texts(List) when is_list(List) -> try lists:map(fun text/1, List) catch error:_ -> List end;
texts(Other) -> Other.

%% As with text: what is no property list is refused elsewhere.
options(Options) ->
    try lists:map(fun option/1, proplists:unfold(Options)) catch error:_ -> Options end.

%% {name, {local, Name}}: gen_server's word for an atom.
option({name, {local, Name}}) -> {name, Name};
option({input, Iodata}) -> {input, Iodata};
option({Name, Value}) -> {Name, value(Name, Value)};
option(Other) -> Other.

value(env, Env) -> pairs(Env);
value(cgroup_sets, Sets) -> elements(Sets);
value(Name, List) when Name =:= stop_command; Name =:= groups; Name =:= cgroup_controllers ->
    texts(List);
value(Name, {file, Path}) when Name =:= stdin; Name =:= stdout; Name =:= stderr ->
    {file, text(Path)};
value(Name, Value) when Name =:= stdin; Name =:= stdout; Name =:= stderr;
                        Name =:= stdout_delivery; Name =:= stderr_delivery ->
    fields(Value);
value(limits, Limits) -> limits(Limits);
value(ready, Ready) -> ready(Ready);
value(Name, Text) when Name =:= cd; Name =:= arg0; Name =:= uid; Name =:= gid;
                       Name =:= stop_signal; Name =:= cgroup_path; Name =:= cgroup_base ->
    text(Text);
value(_Name, Value) -> Value.

pairs(Pairs) when is_list(Pairs) ->
    [case Pair of {Name, Value} -> {text(Name), text(Value)}; Other -> Other end || Pair <- Pairs];
pairs(Other) -> Other.

elements(Tuples) when is_list(Tuples) ->
    [case is_tuple(T) of
         true -> list_to_tuple([text(E) || E <- tuple_to_list(T)]);
         false -> T
     end || T <- Tuples];
elements(Other) -> Other.

%% `append' is {append, true} here as well.
fields(Fields) when is_list(Fields) -> pairs(proplists:unfold(Fields));
fields(Other) -> Other.

limits(Limits) when is_list(Limits) ->
    [case Limit of
         {io, Devices} when is_list(Devices) -> {io, [fields(Device) || Device <- Devices]};
         Other -> Other
     end || Limit <- Limits];
limits(Other) -> Other.

ready({command, Program, Args}) -> {command, text(Program), texts(Args)};
ready({tcp, Host, Port}) -> {tcp, text(Host), Port};
ready({Kind, Text}) -> {Kind, text(Text)};
ready(Fields) when is_list(Fields) ->
    [case Field of {check, Check} -> {check, ready(Check)}; Other -> Other end || Field <- Fields];
ready(Other) -> Other.
