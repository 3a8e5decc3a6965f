"""Pages of MMS campaigns and the files they carry."""
