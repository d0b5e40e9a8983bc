"""The editable view of a flatbuffer; the only place that knows the schema and LCE's operators."""
