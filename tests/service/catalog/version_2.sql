BEGIN TRANSACTION;
CREATE TABLE catalog_info (
	"row" INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	collection_id VARCHAR(32) NOT NULL, 
	sequence BIGINT NOT NULL, 
	PRIMARY KEY ("row")
);
INSERT INTO "catalog_info" VALUES(1,2,'08dcad9f8a1345fe8a3588f4420345a3',7);
CREATE TABLE embeddings (
	item_number INTEGER NOT NULL, 
	space_id INTEGER NOT NULL, 
	modality VARCHAR(16) NOT NULL, 
	sequence BIGINT NOT NULL, 
	vector BLOB NOT NULL, 
	typicality DOUBLE NOT NULL, 
	PRIMARY KEY (item_number, space_id), 
	FOREIGN KEY(item_number) REFERENCES items (number) ON DELETE CASCADE, 
	FOREIGN KEY(space_id) REFERENCES spaces (id)
);
INSERT INTO "embeddings" VALUES(1,1,'audio',1,X'D25E113EADCEAC3EAEFF0A3E2D0B09BF656BBE3E9BC43B3EB9DE61BEB172743E995B193E5174F73D294B3F3CB8F9653E28E59ABE780E89BDD7CD4ABEC6E77B3E',0.5);
INSERT INTO "embeddings" VALUES(3,1,'audio',3,X'95ECC03E0495F1BE9B169E3D40AED6BDFA26ABBD350A23BD05F2BEBE99642FBDE89223BEF10E1D3FD1BE2A3D835585BD6AB754BDB698FCBD927B47BE43C493BD',0.5);
INSERT INTO "embeddings" VALUES(4,1,'audio',4,X'91B716BE689A21BD145BC03E0C6B183E40C6BDBEBB019ABAB12A10BEB179093D4FEFB9BEEA9F5F3DA2B6593D8B2BB63E5F70923DDB1CEC3D6DA1ACBE423A023F',0.5);
CREATE TABLE item_metadata (
	item_number INTEGER NOT NULL, 
	"key" VARCHAR NOT NULL, 
	value TEXT NOT NULL, 
	number DOUBLE, 
	moment DOUBLE, 
	PRIMARY KEY (item_number, "key"), 
	FOREIGN KEY(item_number) REFERENCES items (number) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE TABLE item_tags (
	item_number INTEGER NOT NULL, 
	tag VARCHAR NOT NULL, 
	PRIMARY KEY (item_number, tag), 
	FOREIGN KEY(item_number) REFERENCES items (number) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE TABLE items (
	number INTEGER NOT NULL, 
	id VARCHAR(20) NOT NULL, 
	modality VARCHAR(16) NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	media_type VARCHAR NOT NULL, 
	suffix VARCHAR(16) NOT NULL, 
	bytes BIGINT NOT NULL, 
	title TEXT NOT NULL, 
	title_folded TEXT NOT NULL, 
	label VARCHAR, 
	work_id VARCHAR, 
	metadata JSON NOT NULL, 
	tags JSON NOT NULL, 
	created_at DATETIME NOT NULL, 
	PRIMARY KEY (number), 
	UNIQUE (id)
);
INSERT INTO "items" VALUES(1,'6a1d9ee3523517ccb0fb','audio','a8aff4ea1598db65aec7826a5fb6949c1b6a2d7c472afe93c2b61b1852ca3150','audio/wav','.wav',400,'sound 1','sound 1',NULL,NULL,'{}','[]','2026-11-29 07:34:32.417933');
INSERT INTO "items" VALUES(3,'07db7704766296c5d9fa','audio','7a170d3fb2118ed36940b12811b14f7ba7985aa50b777f6604a07e32165ac869','audio/wav','.wav',400,'sound 3','sound 3',NULL,NULL,'{}','[]','2026-11-29 07:34:32.417933');
INSERT INTO "items" VALUES(4,'f5c6c75d7ceb2c25b05a','audio','41ebf2e39f8b6fa5da7c2f1e7077b99bdd4e90cae979d9faf1f40671ce95e806','audio/wav','.wav',400,'sound 4','sound 4',NULL,NULL,'{}','[]','2026-11-29 07:34:32.417933');
CREATE TABLE removals (
	space_id INTEGER NOT NULL, 
	modality VARCHAR(16) NOT NULL, 
	sequence BIGINT NOT NULL, 
	item_number BIGINT NOT NULL, 
	PRIMARY KEY (space_id, modality, sequence, item_number)
)
 WITHOUT ROWID

;
INSERT INTO "removals" VALUES(1,'audio',6,2);
INSERT INTO "removals" VALUES(1,'audio',7,5);
CREATE TABLE spaces (
	id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	fingerprint VARCHAR NOT NULL, 
	modalities VARCHAR NOT NULL, 
	n_components INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "spaces" VALUES(1,'audio-video','0123456789abcdef','audio,video',16);
CREATE INDEX ix_items_created_at ON items (created_at);
CREATE INDEX ix_items_label ON items (label, modality);
CREATE INDEX ix_items_modality ON items (modality);
CREATE INDEX ix_items_work_id ON items (work_id, modality);
CREATE INDEX ix_item_metadata_number ON item_metadata ("key", number) WHERE number IS NOT NULL;
CREATE INDEX ix_item_metadata_value ON item_metadata ("key", value);
CREATE INDEX ix_item_metadata_moment ON item_metadata ("key", moment) WHERE moment IS NOT NULL;
CREATE INDEX ix_item_tags_tag ON item_tags (tag);
CREATE INDEX ix_embeddings_sequence ON embeddings (space_id, modality, sequence, item_number);
COMMIT;
