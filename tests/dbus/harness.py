# SPDX-License-Identifier: LGPL-2.1-or-later

"""A manager on a bus of its own, and what a test wants to know about it.

Each Manager has its own dbus-daemon, runtime folder and made-up kernel, so that tests neither see each other
nor the machine. Everything is waited for by an event with a deadline: readiness by sd_notify, signals by the
main loop, the end of processes by waitpid. stop() is part of every test: the manager must end with 0 and its
sanitizers must have had nothing to say.
"""

import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

NAME = "org.ublk.Manager1"
PATH = "/org/ublk/Manager1"
DEVICE = NAME + ".Device"
ERROR = NAME + ".Error."
PROPERTIES = "org.freedesktop.DBus.Properties"
OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager"
SOURCE = pathlib.Path(os.environ["UBLK_SOURCE_DIR"])
MIB = 1 << 20
DEADLINE = 60  # seconds, for whatever should come at once
SANITIZER = re.compile(r"AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer|runtime error|Assertion")
BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
  <limit name="max_replies_per_connection">50000</limit>
</busconfig>
"""


class BusError(Exception):
    """A D-Bus error: `name` without the interface where it is ours, `text` for people."""

    def __init__(self, error):
        self.full_name = Gio.DBusError.get_remote_error(error) or str(error.code)
        self.name = self.full_name.removeprefix(ERROR)
        self.text = error.message.removeprefix(f"GDBus.Error:{self.full_name}: ")
        super().__init__(f"{self.name}: {self.text}")


def variant(value):
    """Python's plain types as what a client would send; a GLib.Variant as it is."""
    if isinstance(value, GLib.Variant):
        return value
    if isinstance(value, bool):
        return GLib.Variant("b", value)
    if isinstance(value, int):
        return GLib.Variant("x" if value < 0 else "t", value)
    return GLib.Variant("s", value)


def asv(entries):
    """a{sv} from a dict or, where a key shall be there twice, a list of pairs."""
    pairs = entries.items() if isinstance(entries, dict) else entries
    return GLib.Variant.new_array(
        GLib.VariantType("{sv}"),
        [GLib.Variant.new_dict_entry(GLib.Variant("s", k), GLib.Variant.new_variant(variant(v))) for k, v in pairs])


def call_arguments(*arguments):
    return GLib.Variant.new_tuple(*(a if isinstance(a, GLib.Variant) else variant(a) for a in arguments))


def wait_until(done, seconds=DEADLINE):
    """Runs the main loop until done() is true, which some event must make it."""
    context = GLib.MainContext.default()
    late = []
    timer = GLib.timeout_source_new(seconds * 1000)
    timer.set_callback(lambda *_: late.append(True) or GLib.SOURCE_REMOVE)
    timer.attach(context)
    try:
        while not done():
            assert not late, "waited in vain"
            context.iteration(True)
    finally:
        timer.destroy()


class Client:
    """A connection to the bus."""

    def __init__(self, address):
        self.connection = Gio.DBusConnection.new_for_address_sync(
            address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION,
            None, None)
        self.connection.set_exit_on_close(False)
        self.signals = []
        self.listening = False

    def call(self, method, *arguments, path=PATH, interface=NAME, fds=()):
        """Calls and waits for the answer: None, a value, or a tuple of several."""
        passed = Gio.UnixFDList.new()
        for fd in fds:
            passed.append(fd)
        try:
            result, _ = self.connection.call_with_unix_fd_list_sync(
                NAME, path, interface, method, call_arguments(*arguments), None, Gio.DBusCallFlags.NO_AUTO_START,
                DEADLINE * 1000, passed, None)
        except GLib.Error as e:
            raise BusError(e) from None
        values = result.unpack()
        return values[0] if len(values) == 1 else values or None

    def start(self, method, *arguments):
        """Calls without waiting. The result is a list that the answer, or a BusError, is put into."""
        answer = []

        def on_answer(connection, result):
            try:
                answer.append(connection.call_finish(result).unpack())
            except GLib.Error as e:
                answer.append(BusError(e))

        self.connection.call(NAME, PATH, NAME, method, call_arguments(*arguments), None,
                             Gio.DBusCallFlags.NO_AUTO_START, DEADLINE * 1000, None, on_answer)
        return answer

    def get(self, name, path=PATH, interface=NAME):
        return self.call("Get", interface, name, path=path, interface=PROPERTIES)

    def get_all(self, path, interface=DEVICE):
        return self.call("GetAll", interface, path=path, interface=PROPERTIES)

    def listen(self):
        """From now on signals of the manager are kept in .signals as (path, signal, arguments)."""
        if self.listening:
            return
        self.listening = True

        def on_signal(_connection, _sender, path, _interface, member, parameters):
            self.signals.append((path, member, parameters.unpack()))

        for interface in (PROPERTIES, OBJECT_MANAGER):
            self.connection.signal_subscribe(None, interface, None, None, None, Gio.DBusSignalFlags.NONE, on_signal)
        # The answer to any call comes after the bus has added the matches.
        self.connection.call_sync("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetId", None, None,
                                  Gio.DBusCallFlags.NONE, DEADLINE * 1000, None)

    def wait_for_state(self, name, state):
        """Until PropertiesChanged (listen() first) has said so."""
        def seen():
            return any(path.endswith("/" + name) and member == "PropertiesChanged" and
                       arguments[1].get("State") == state for path, member, arguments in self.signals)

        wait_until(seen)

    def settle(self):
        """Lets signals come in that were sent before the last answer."""
        context = GLib.MainContext.default()
        while context.iteration(False):
            pass

    def close(self):
        if not self.connection.is_closed():
            self.connection.close_sync(None)


class Manager(Client):
    def __init__(self, fail="", fail_step="", haste=0, environment=None, worker=None, settings="{}",
                 partitions="/bin/true"):
        # Not pytest's folder: other users, who can't look into that one, call too.
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="ublk-dbus-"))
        self.top.chmod(0o755)
        self.folder = self.top / "run"
        self.daemon = self.process = None
        try:
            self.start_bus()
            # Never those of the machine.
            (self.top / "ublkmgr.conf").write_text(settings)
            self.start_manager(fail, fail_step, haste, environment, worker, partitions)
            super().__init__(self.address)
        except BaseException:
            self.clean_up()
            raise

    def start_bus(self):
        config = self.top / "bus.conf"
        config.write_text(BUS_CONFIG.format(path=self.top / "bus"))
        self.daemon = subprocess.Popen(["dbus-daemon", "--config-file", config, "--nofork", "--nopidfile",
                                        "--print-address"], stdout=subprocess.PIPE, text=True)
        self.address = self.daemon.stdout.readline().strip()

    def start_manager(self, fail="", fail_step="", haste=0, environment=None, worker=None,
                      partitions="/bin/true"):
        env = dict(os.environ, UBLK_FAKE_FAIL=fail, NOTIFY_SOCKET=str(self.top / "notify"), **(environment or {}))
        env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1")
        if fail_step:
            env["UBLKMGR_FAIL_STEP"] = fail_step
        if haste:
            env["UBLKMGR_HASTE"] = str(haste)
        # What hangs in the made-up kernel may as well hang for a shorter time.
        env.setdefault("UBLK_FAKE_HASTE", "20")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, open(self.top / "log", "wb") as log:
            (self.top / "notify").unlink(missing_ok=True)
            notify.bind(env["NOTIFY_SOCKET"])
            notify.settimeout(DEADLINE)
            if self.process:
                self.process.stdout.close()
            self.process = subprocess.Popen(
                [os.environ["FAKE_MANAGER"], "--address=" + self.address, f"--folder={self.folder}",
                 f"--config={self.top}/ublkmgr.conf",
                 "--worker=" + (worker or os.environ["FAKE_WORKER"]), f"--partitions={partitions}", "--debug"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=env)
            exited = os.pidfd_open(self.process.pid)
            try:
                ready, _, _ = select.select([notify, exited], [], [], DEADLINE)
            finally:
                os.close(exited)
            assert notify in ready and b"READY=1" in notify.recv(4096), self.log()

    # What it says.

    def log(self):
        return (self.top / "log").read_text(errors="replace")

    def kernel_devices(self):
        self.process.send_signal(signal.SIGUSR1)
        ready, _, _ = select.select([self.process.stdout], [], [], DEADLINE)
        assert ready, "the manager doesn't answer"
        line = os.read(self.process.stdout.fileno(), 4096).decode()
        return int(re.fullmatch(r"kernel devices: (\d+)\n", line)[1])

    def children(self):
        """The processes that it is the parent of, those that have ended and wait for it included."""
        found = []
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                rest = stat.read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(rest[1]) == self.process.pid:
                found.append(int(stat.parent.name))
        return found

    def fds(self):
        return sorted(os.readlink(f) for f in pathlib.Path(f"/proc/{self.process.pid}/fd").iterdir())

    def files(self):
        return sorted(str(p.relative_to(self.folder)) for p in self.folder.rglob("*") if not p.is_dir())

    # What a test does all the time.

    def add(self, name, fds=(), options=(), **spec):
        spec = spec or {"type": "ram", "sizeBytes": MIB}
        handles = GLib.Variant("a{sh}", {"backing": i for i in range(len(fds))})
        return self.call("AddDevice", name, asv(spec), handles, asv(options), fds=fds)

    def start_add(self, name, **spec):
        spec = spec or {"type": "ram", "sizeBytes": MIB}
        return self.start("AddDevice", name, asv(spec), GLib.Variant("a{sh}", {}), asv({}))

    def remove(self, name, **options):
        return self.call("RemoveDevice", name, asv(options))

    def devices(self):
        return {d[0]: d for d in self.call("ListDevices")}

    def state(self, name):
        return self.devices()[name][5]

    def apply(self, documents, method="Apply", **options):
        return self.call(method, GLib.Variant("a(ss)", list(documents.items())), asv(options))

    def mark(self):
        """Remembers what there is now, after one device has come and gone, so that whatever the libraries
        keep once and for all is there."""
        self.add("warm-up")
        self.remove("warm-up")
        self.before = self.fds()
        self.assert_nothing_left()

    def assert_nothing_left(self):
        assert self.devices() == {}
        assert self.kernel_devices() == 0
        children = self.children()
        assert children == [], [pathlib.Path(f"/proc/{p}/stat").read_text() for p in children]
        assert self.files() == []
        assert self.fds() == self.before

    # Its end.

    def kill_workers(self, pids):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def wait(self):
        return self.process.wait(timeout=DEADLINE)

    def stop(self):
        """Ends it as the service manager does. Workers live on, as they should, until they are killed here."""
        try:
            workers = self.children()
            self.process.terminate()
            code = self.wait()
            self.kill_workers(workers)
            log = self.log()
            assert code == 0, log
            assert not SANITIZER.search(log), log
        finally:
            self.clean_up()

    def assert_sane(self):
        assert not SANITIZER.search(self.log()), self.log()

    def clean_up(self):
        if hasattr(self, "connection"):
            self.close()
        for process in (self.process, self.daemon):
            if process and process.poll() is None:
                process.kill()
                process.wait(timeout=DEADLINE)
            if process:
                process.stdout.close()
        shutil.rmtree(self.top, ignore_errors=True)


def steps(operation):
    """The names of an operation's steps, in order, as its source has them."""
    text = (SOURCE / "ublkmgr" / f"{operation}.c").read_text()
    table = re.search(rf"static const struct step {operation}_steps\[\] = {{(.*?)\n}};", text, re.DOTALL)
    return re.findall(r'\.name = "([a-z-]+)"', table[1])
