"""The only importers of python-can, pyserial-asyncio, aiomqtt, amqtt and smbus2.

``real`` opens what the configuration names; ``memory`` is the same without hardware or sockets,
for the simulated loop.
"""
