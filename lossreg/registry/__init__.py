"""The registry: which losses there are, who offers them, and what a name means.

Finding the plugins imports their plugin modules and nothing else: no module of a loss, no
pydantic, no Keras.
"""

from .discovery import discover, installed_version
from .health import PluginFinding, Severity, examine_plugins
from .known import COMMANDS, known_losses, known_packages
from .loading import stdout_to_stderr, without_frameworks
from .local import describe
from .plugin import FRAMEWORKS, PluginRecord
from .process import installed, list_losses, plugins, refresh, register, when_discovered
from .registry import Registry, import_target
from .selection import BLOCK, ONLY, Selection
from .targets import load_from, load_target
