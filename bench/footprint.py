"""What a backend takes: memory, and room on the disk."""
import pathlib
import subprocess
import tempfile


def report_peak_memory(commands):
    """`commands`: {name: (argv, environment)} of what prints the peak of its resident memory in KiB."""
    print("\n== peak resident memory of a process that read the secret ==")
    width = max(map(len, commands))
    for name, (argv, environment) in commands.items():
        kib = int(subprocess.check_output(argv, env=environment, stderr=subprocess.DEVNULL))
        print(f"  {name:{width}} {kib / 1024:6.1f} MB")


def exec_peak_memory(qsecrets):
    """The command line by which `qsecrets exec` prints its own."""
    status = "sed -n 's/^VmHWM:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/$PPID/status"
    return [qsecrets, "exec", "--", "sh", "-c", status]


def report_size(module):
    with tempfile.TemporaryDirectory() as directory:
        stripped = pathlib.Path(directory, "stripped")
        subprocess.run(["strip", "-o", stripped, module], check=True)
        print(f"  the module's file: {module.stat().st_size / 1024:.0f} KiB, {stripped.stat().st_size / 1024:.0f} "
              "without its symbols (target: a few hundred)")
