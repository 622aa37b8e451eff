"""What was, kept in one SQLite file: written by the recorder, read by dashboard and export.

catalogue   names, units and steps of all series
intake      what gridzero says over MQTT -> samples, cells, records
blocks      samples -> bytes and back
roll_up     samples -> minutes, minutes -> hours
schema      tables and their migrations
store       the only writer
reader      for everyone who looks
"""
