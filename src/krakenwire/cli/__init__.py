"""The command line: arguments and rendering only, everything else is called.

Never decides anything about a market. Start reading at `main`.
"""
